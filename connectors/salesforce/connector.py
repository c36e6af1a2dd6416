"""What our connector does with Salesforce: each capability as a flow."""

from collections.abc import Sequence
from typing import Any, Literal

import httpx

from connectors.connector import READS_ONLY, Account, Flow
from connectors.provider import Provider
from connectors.salesforce import addresses, answers, payloads
from connectors.salesforce.faults import Target, read_failure
from connectors.salesforce.metadata import Description, from_description
from connectors.salesforce.provider import COLLECTION_LIMIT, SALESFORCE
from connectors.salesforce.soql import equality
from installations.record import Change, Fault, Outcome, Record
from installations.schema import ObjectMetadata

RETRIEVE_LIMIT = 2000
"""Records of one retrieve.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_retrieve_post.htm
"""

FOUND_LIMIT = 5
"""A look-up answers at most this many records: enough to see that a value is not unique."""


class Salesforce:
    """The connector. Object and field names are case-insensitive at Salesforce and are sent as given.

    Every flow raises `Refused` before it sends anything where a name or an id cannot be one.
    """

    @property
    def provider(self) -> Provider:
        """The provider's data."""
        return SALESFORCE

    @property
    def ignores_case(self) -> Literal[True]:
        """Names of fields and objects are taken in any case, as the class says."""
        return True

    @property
    def batch_limit(self) -> int:
        """The most records of one collection."""
        return COLLECTION_LIMIT

    def write(self, account: Account, change: Change) -> Flow[Outcome]:
        """Create or update one record.

        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_create.htm
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_update_fields.htm
        """
        payloads.refuse_associations(change)
        (record,) = change.records
        if change.action == "create":
            url = f"{addresses.sobject(account, change.object_name)}/"
            response = yield payloads.write_request("POST", url, change, record.fields)
            return answers.one_saved(response, target="object")
        record_id = addresses.record_id(record.id)
        url = addresses.sobject(account, change.object_name, record_id)
        response = yield payloads.write_request("PATCH", url, change, record.fields)
        return answers.one_changed(response, record_id)

    def write_batch(self, account: Account, change: Change) -> Flow[Outcome]:
        """Create or update up to `batch_limit` records of one object.

        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_create.htm
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_update.htm
        """
        payloads.refuse_associations(change)
        method, target = _BATCHES[change.action]
        body = payloads.collection_body(change)
        response = yield payloads.write_request(method, addresses.collection(account), change, body)
        ids = [record.id for record in change.records] if change.action == "update" else None
        return answers.many_saved(response, count=len(change.records), target=target, ids=ids)

    def upsert(self, account: Account, change: Change) -> Flow[Outcome]:
        """Create or update by the external id ``change.match_field``, whose value stands in every record's fields.

        One record goes by its own URL. A batch goes as a collection, and so does one record whose value would not
        survive in a path.
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_upsert.htm
        """
        payloads.refuse_associations(change)
        match_field = addresses.field_name(change.match_field or "")
        values = [payloads.match_value(record, match_field) for record in change.records]
        if change.batch or not addresses.can_stand_in_path(values[0]):
            return (yield from _upsert_collection(account, change, match_field))
        url = addresses.sobject(account, change.object_name, match_field, values[0])
        # Neither the id nor the external id may be repeated in the body.
        body = payloads.without(change.records[0].fields, {"id", match_field})
        response = yield payloads.write_request("PATCH", url, change, body)
        return answers.one_saved(response, target="external_id")

    def can_upsert(self, object_name: str, match_field: str) -> bool:  # noqa: ARG002 -- the protocol's parameter
        """Whether the field may be an external id: custom fields only, for only they can be marked as one.

        https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/custom_fields.htm
        """
        return match_field.lower().endswith("__c")

    def delete(self, account: Account, change: Change) -> Flow[Outcome]:
        """Delete one record, or up to `batch_limit` of them; they go to the customer's recycle bin.

        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_delete_record.htm
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_delete.htm
        """
        ids = [addresses.record_id(record.id) for record in change.records]
        if not change.batch:
            url = addresses.sobject(account, change.object_name, ids[0])
            return answers.one_changed((yield payloads.write_request("DELETE", url, change)), ids[0])
        query = httpx.QueryParams(ids=",".join(ids), allOrNone=addresses.text_of(change.all_or_none))
        url = f"{addresses.collection(account)}?{query}"
        response = yield payloads.write_request("DELETE", url, change)
        return answers.many_saved(response, count=len(ids), target="record", ids=ids)

    def fetch(
        self, account: Account, object_name: str, *, ids: Sequence[str], fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """Read records by id, under the ids and field names as asked.

        The retrieve of the collections resource, in its POST form: an id that is unknown, deleted or malformed gives
        ``null`` at its place, where a SOQL ``IN`` is refused as a whole for one malformed id; ids of 15 and of 18
        characters both find their record, because answers stand in the order asked; no URL can grow too long.
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_retrieve_post.htm
        """
        found: dict[str, Record] = {}
        url = addresses.collection(account, addresses.object_name(object_name))
        wanted = addresses.field_list(fields)
        for start in range(0, len(ids), RETRIEVE_LIMIT):
            chunk = list(ids[start : start + RETRIEVE_LIMIT])
            body = {"ids": chunk, "fields": wanted}
            response = yield httpx.Request("POST", url, json=body, extensions={READS_ONLY: True})
            found |= answers.retrieved(response, ids=chunk, fields=fields)
        return found

    def find(
        self, account: Account, object_name: str, *, field: str, value: Any, fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """Look records up by equality, at most `FOUND_LIMIT`. Text is compared without regard to case, as SOQL does.

        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_query.htm
        """
        query = equality(object_name, field=field, value=value, fields=fields, limit=FOUND_LIMIT)
        response = yield httpx.Request("GET", f"{addresses.root(account)}/query/", params={"q": query})
        return answers.queried(response, fields=fields)

    def describe(self, account: Account, object_name: str) -> Flow[ObjectMetadata]:
        """Describe one object with all the fields this user may see.

        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
        """
        response = yield httpx.Request("GET", addresses.sobject(account, object_name, "describe"))
        return from_description(answers.read(response, Description))

    def probe(self, account: Account) -> Flow[None]:
        """Check the credential by the list of resources, which needs no right but the use of the API.

        ``/limits`` would need the right to view the setup.
        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_discoveryresource.htm
        """
        response = yield httpx.Request("GET", f"{addresses.root(account)}/")
        answers.read(response, dict[str, Any])

    def interpret(self, response: httpx.Response) -> Fault:
        """Read a refusal: a spent limit is a 403 here, told from a missing right by its code alone."""
        return read_failure(response, target="record").fault


_BATCHES: dict[str, tuple[str, Target]] = {"create": ("POST", "object"), "update": ("PATCH", "record")}


def _upsert_collection(account: Account, change: Change, match_field: str) -> Flow[Outcome]:
    """Upsert by a collection; a record that was not asked as a batch is judged as if it had gone alone."""
    url = addresses.collection(account, addresses.object_name(change.object_name), match_field)
    body = payloads.collection_body(change)
    response = yield payloads.write_request("PATCH", url, change, body)
    outcome = answers.many_saved(response, count=len(change.records), target="external_id")
    return outcome if change.batch else answers.judged_alone(outcome, response)
