"""Objects: which one a request means, by the provider's name or by the product's, and whether it may be written."""

from collections.abc import Iterator

from installations.config import ConfigContent
from installations.errors import Issue, NotFound
from installations.manifest import IntegrationSpec, WriteObject


def resolve(spec: IntegrationSpec, content: ConfigContent, name: str) -> WriteObject:
    """Find the write object of this name, the provider's names first.

    Raises `NotFound` if the manifest writes no such object, or this customer has not enabled it.
    """
    objects = spec.write.objects if spec.write else ()
    native = (each for each in objects if each.object_name == name)
    found = next(native, None) or next((each for each in objects if name in _own_names(each, spec, content)), None)
    enabled = [each.object_name for each in objects if is_enabled(each, content)]
    remedy = f"Enabled for this customer: {', '.join(enabled)}." if enabled else "No object is enabled for writing."
    if found is None:
        message = f"The integration {spec.name!r} writes no object {name!r}."
        raise NotFound([Issue(path="path.objectName", message=message, code="unknown-object", remedy=remedy)])
    if not is_enabled(found, content):
        message = f"Writing {found.object_name!r} is not enabled for this customer."
        raise NotFound([Issue(path="path.objectName", message=message, code="write-not-enabled", remedy=remedy)])
    return found


def _own_names(written: WriteObject, spec: IntegrationSpec, content: ConfigContent) -> Iterator[str]:
    """List the product's names for an object; that of the read object only where its mappings are inherited."""
    if written.map_to_name:
        yield written.map_to_name
    chosen = content.write.objects.get(written.object_name) if content.write else None
    inherits = written.inherit_mapping or (chosen is not None and chosen.inherit_mapping is True)
    read = spec.read_object(written.object_name)
    if inherits and read is not None and read.map_to_name:
        yield read.map_to_name


def is_enabled(written: WriteObject, content: ConfigContent) -> bool:
    """Tell whether this customer lets us write an object: each that the config lists, or all where it lists none."""
    return not content.write or written.object_name in content.write.objects
