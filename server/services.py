"""What the server is made of, put together once by ``cli`` (or a test) and handed to ``app``."""

import msgspec

from headless.embed import Assets
from server.access.keyring import Keyring
from server.access.limits import Limits
from server.access.sessions import Sessions
from server.accounts import Accounts
from server.changes import Changes
from server.clock import Clock, NewId
from server.delivering.beat import Beat
from server.delivering.deliveries import Deliveries
from server.delivering.interventions import Interventions
from server.delivering.look_ups import Perform
from server.delivering.recovery import Recovery
from server.delivering.replays import Replays
from server.delivering.rounds import Rounds
from server.delivering.turns import Turns
from server.delivering.worker import Worker
from server.directory import Directory
from server.engine.port import Engine
from server.notifying.bell import Bell
from server.notifying.courier import Courier
from server.proxying.passing import Proxy
from server.schemas import Schemas
from server.settings import Settings
from server.store.contract import Store
from server.tokens.tokens import Tokens


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a handler may ask for."""

    settings: Settings
    store: Store
    keyring: Keyring
    limits: Limits
    sessions: Sessions
    changes: Changes
    accounts: Accounts
    tokens: Tokens
    perform: Perform
    directory: Directory
    schemas: Schemas
    deliveries: Deliveries
    engine: Engine
    worker: Worker
    rounds: Rounds
    recovery: Recovery
    beat: Beat
    interventions: Interventions
    replays: Replays
    proxy: Proxy
    courier: Courier
    bell: Bell
    """Rung by whoever stores an event, so that it is told at once."""
    assets: Assets
    """The built browser modules."""
    editing: Turns
    """Edits of one installation, which would only race each other."""
    clock: Clock
    new_id: NewId
    owner: str
    """This process among all that share the store."""
