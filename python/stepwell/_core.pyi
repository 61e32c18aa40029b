"""The native core: clock, ids, log and storage. Private; the engine is its only user.

Positions count the records of the log from 1. Calls that may block release the GIL. Errors are those of
``stepwell.errors``; a ``ValueError`` means that an argument violates the contract.
"""

from collections.abc import Sequence
from os import PathLike
from typing import Any, TypeAlias, final

Turn: TypeAlias = tuple[str, int, int, bytes]
"""A turn to be committed: its execution's id, its first history event (0: none), its number of records, its bytes."""

KeyFields: TypeAlias = tuple[str | int, ...]

LogBatch: TypeAlias = tuple[int, int, int, bytes]
"""A batch of the log: its first position, epoch, number of records, payload (turns, back to back)."""

@final
class Timestamp:
    """A moment in causal order: seconds since the Unix epoch, and a counter within the second."""

    def __new__(cls, wall_time: int, logical: int) -> Timestamp: ...
    @property
    def wall_time(self) -> int: ...
    @property
    def logical(self) -> int: ...
    @property
    def hex(self) -> str:
        """16 lower-case hex digits, as in ids."""

    def __int__(self) -> int: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __lt__(self, other: Timestamp, /) -> bool: ...
    def __le__(self, other: Timestamp, /) -> bool: ...
    def __gt__(self, other: Timestamp, /) -> bool: ...
    def __ge__(self, other: Timestamp, /) -> bool: ...

@final
class Clock:
    """Timestamps as integers, each later than every one that the clock gave or saw before. Threads may share it."""

    def __new__(cls, last: int = 0, max_drift_seconds: int = 86400) -> Clock: ...
    @property
    def last(self) -> int: ...
    def tick(self, wall_seconds: int) -> int:
        """The next timestamp; ``ClockError`` if the wall clock is behind the last one by more than the drift bound."""

    def reserve(self, wall_seconds: int, count: int) -> int:
        """Reserve ``count`` timestamps in a row; the first of them."""

    def update(self, remote: int, wall_seconds: int) -> int:
        """The next timestamp, later than ``remote`` too; ``ClockError`` if that is too far ahead."""

def fix_jsonata(millis: float | None, seed: int = 0) -> None:
    """Fix the time (milliseconds since 1970) and the seed of this thread's evaluations; None: the machine's again."""

def parse_timestamp(text: str | int, /) -> Timestamp:
    """Parse 16 hex digits, the dotted form, or the integer."""

@final
class Id:
    """The parts of an id; those that its kind does not have are ``None``."""

    @property
    def kind(self) -> str:
        """``execution``, ``activity``, ``branch``, ``iteration`` or ``task``."""

    @property
    def tenant(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def hash7(self) -> str: ...
    @property
    def partition_key(self) -> str: ...
    @property
    def execution_id(self) -> str | None: ...
    @property
    def timestamp(self) -> int | None: ...
    @property
    def activity(self) -> int | None: ...
    @property
    def branch(self) -> int | None: ...
    @property
    def iteration(self) -> int | None: ...
    @property
    def task(self) -> int | None: ...

def parse_id(text: str, /) -> Id: ...
def partition_key(text: str, /) -> str:
    """An id's prefix, which all records of its execution share."""

def partition(text: str, partitions: int) -> int:
    """Which of ``partitions`` an id belongs to."""

def hash7(text: str, /) -> str:
    """The 7 hex digits that stand for a text in an id."""

def tcp_state(descriptor: int, /) -> int | None:
    """The state of a TCP connection, the first member of ``tcp_info``; None if the kernel does not tell it."""

def check_name(what: str, name: str) -> None:
    """Raise ``InvalidName`` unless ``name`` may be a tenant or a namespace; ``what`` says which it is."""

def execution_id(tenant: str, namespace: str, hash7: str, timestamp: int) -> str: ...
def activity_id(execution_id: str, number: int) -> str: ...
def branch_id(activity_id: str, index: int) -> str: ...
def iteration_id(activity_id: str, index: int) -> str: ...
def task_id(tenant: str, namespace: str, task_type: str, number: int) -> str: ...
def json_compact(text: bytes, /) -> bytes:
    """A JSON text without spaces and needless escapes, each key once; the same object if it is so already."""

def json_depth(text: bytes, /) -> int:
    """How deeply arrays and objects are nested in a JSON text: 0 for a plain value."""

def json_size(value: Any, most: int, /) -> int:
    """At least how many bytes the JSON text of a value has; counting ends once it is more than ``most``."""

def split_turns(payload: bytes, /) -> list[bytes]:
    """The turns of a batch's payload."""

def log_verify(path: str | PathLike[str]) -> dict[str, int | str | None]:
    """Read a whole log, in a store's folder or in a folder of its own, and decode every record.

    ``segments``, ``batches``, ``records``, ``bytes``, ``first``, ``last``, ``epoch``, and ``torn``: what
    the next opening will cut off its end. ``CorruptionError`` names the first damaged place.
    """

def log_repair(path: str | PathLike[str]) -> dict[str, Any]:
    """Remove damage from the log of a store that is not open.

    ``damage``: what was found, as text; ``set_aside``: the files that hold what was removed; ``last``:
    the last position now; ``lost_from``: the first position of the records that are lost, or None.
    """

def record_layouts() -> dict[int, tuple[str, list[str]]]:
    """The layouts of records as the native codec knows them: tag → (name, fields)."""

def context_layouts() -> dict[int, tuple[str, list[str]]]:
    """The layouts of storage's rows as the native codec knows them: tag → (name, fields)."""

@final
class LogDump:
    """Lines of JSON, one a record."""

    def __iter__(self) -> LogDump: ...
    def __next__(self) -> str: ...

def log_dump(path: str | PathLike[str], from_position: int = 1, limit: int | None = None) -> LogDump:
    """The records of a log from a position on."""

@final
class Folder:
    """A folder that is held open: its files are reached even when its path leads elsewhere. Names are its entries."""

    @staticmethod
    def open(path: str | PathLike[str], *, create: bool = False, which: tuple[int, int] | None = None) -> Folder:
        """Open a folder; ``create`` makes it if it does not exist. ``which`` is the identity that it must have."""

    @property
    def path(self) -> str:
        """The absolute path that led to the folder when it was opened."""

    @property
    def which(self) -> tuple[int, int]:
        """The folder's identity: device and inode."""

    def within(self, name: str, *, create: bool = False) -> Folder:
        """A subfolder; ``create`` makes it if it does not exist."""

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None if it does not exist."""

    def write(self, name: str, bytes: bytes) -> None:
        """Write a file atomically and durably; replace an existing one."""

    def remove(self, name: str) -> None:
        """Remove a file durably, if it exists."""

    def has(self, name: str) -> bool:
        """Whether an entry of this name exists."""

    def check(self) -> None:
        """Raise ``PoisonedError`` if the path no longer leads to the folder."""

    def lock(self) -> None:
        """Lock the folder for this process, until ``unlock`` or its end; forked processes do not keep the lock."""

    def unlock(self) -> None:
        """Release the lock."""

    def stores(self) -> list[str]:
        """The ids of the stores that its log names: one, unless files were mixed up."""

    def origins(self) -> list[tuple[str, str, int]]:
        """The origins of its store, latest first: "copied" or "followed", which store, up to which position."""

    def add_origin(self, how: str, of: str, position: int) -> None:
        """Add the latest origin of its store durably, unless it is there already."""

def adopt_copy(source: Folder, target: Folder) -> tuple[str, str, int]:
    """Turn storage files that were copied to ``target``, and the log of ``source``, into a store of its own.

    Return the id of the copy, the id of the store that it was copied from, and the copy's position.
    """

def new_store_id() -> str:
    """A new random id."""

@final
class Store:
    """Log and storage of one partition. One thread commits; any thread reads and waits."""

    @staticmethod
    def open(
        path: Folder | str | PathLike[str] | None,
        *,
        epoch: int | None = None,
        segment_bytes: int | None = None,
        queue_bytes: int | None = None,
        batch_bytes: int | None = None,
        flush_bytes: int | None = None,
        keeps_log: bool = False,
        write_buffer_bytes: int | None = None,
        cache_bytes: int | None = None,
    ) -> Store:
        """Open or create the store in a folder, or with ``None`` one in memory.

        Up to ``queue_bytes`` may wait for the disk; beyond that ``commit`` blocks. ``commit`` refuses a batch of
        more than ``batch_bytes``: ``TooLargeError``. After ``flush_bytes`` of log storage is flushed and the log
        truncated, unless ``keeps_log``. ``LockedError`` if the folder is in use,
        ``CorruptionError`` if something in it is damaged, ``StorageError`` if its log is of another store.
        """

    @property
    def id(self) -> str:
        """The random id that the store got when it was created."""

    @property
    def recovered(self) -> str | None:
        """The torn tail that was cut off when the log was opened, if any."""

    def applied(self) -> int:
        """The position of the last record that is durable and applied; 0 in an empty store."""

    def tail(self) -> int:
        """The last position given to a batch, durable or not."""

    def clock_high_water(self) -> int:
        """The newest ``hlc`` that a batch brought."""

    def commit(self, turns: list[Turn], changes: bytes, hlc: int, deferred: bool = False) -> int:
        """Queue one atomic batch, and return the position of its last record at once.

        It is durable and can be read once ``applied()`` reaches it. ``changes`` is a msgpack array: rows
        ``[tag, field, …]`` to put, ``[-tag, key field, …]`` to delete, ``[-100, execution id]`` to delete
        all of an execution's rows. Changes that storage does not understand are refused, with nothing written.
        Blocks while the queue is full. A ``deferred`` batch may stay queued until this thread waits, which it must
        do afterwards.

        Changes without turns are not on the log, and no replay restores them: they are applied and durable when
        the call returns, and the position is the last one given.
        """

    def apply(self, turns: list[Turn], changes: bytes, position: int, hlc: int) -> None:
        """Apply a batch of the log; ``position`` is that of its last record."""

    def epoch(self) -> int:
        """The epoch that batches are written in."""

    def begin_epoch(self, epoch: int) -> None:
        """End the epochs before ``epoch``, durably, and write in it from now on. For the committing thread only."""

    def wait(self, seen: int, timeout: float | None = None) -> int:
        """Wait until ``applied() > seen``, for ``notify``, or for the timeout; return ``applied()``."""

    def wait_applied(self, position: int, timeout: float | None = None) -> bool:
        """Wait until ``applied() >= position``; return whether it is."""

    def notify(self) -> None:
        """End the current ``wait``, or the next one if no thread waits."""

    def get(self, tag: int, *key: str | int) -> bytes | None:
        """The row with this key."""

    def scan(
        self,
        tag: int,
        prefix: KeyFields | None = None,
        after: KeyFields | None = None,
        limit: int = 1000,
        reverse: bool = False,
        *,
        until: int | None = None,
    ) -> list[bytes]:
        """Rows in the order of their keys.

        ``prefix`` holds the key's first parts in the key's order, ``after`` the key fields of the row
        behind which the scan begins. For activities, branches, iterations and items the prefix may be an execution's
        id, for branches and iterations an activity's. Timers come by due time, up to ``until``.
        """

    def load(self, execution_id: str) -> bytes:
        """A msgpack array of an execution's row and all rows within it; empty if there is no such execution."""

    def history(
        self, execution_id: str, first_event: int = 0, limit_rows: int = 1000, reverse: bool = False
    ) -> list[bytes]:
        """Turns of a history, from the one that holds ``first_event`` (in reverse: 0 is the last event)."""

    def read_log(self, from_position: int, max_bytes: int = 8388608) -> list[LogBatch]:
        """Batches from the one that holds ``from_position``, until they hold ``max_bytes``."""

    def truncate_log(self, before_position: int) -> int:
        """Truncate the log, but only as far as storage is durable; return the log's new start."""

    def flush(self) -> int:
        """Make storage durable; return the position that it holds on disk."""

    def checkpoint(self, path: str | PathLike[str]) -> int:
        """Copy the store into a new folder, where it can be opened; return its position."""

    def verify(self) -> int:
        """Read every row and check its checksum; return how many rows there are."""

    def digest(self) -> tuple[int, str]:
        """How many rows there are, and SHA-256 of all of them in their order: equal copies have the same."""

    def sync_stats(self) -> dict[str, int]:
        """``syncs``, ``sync_micros``, ``batches``, ``records``, ``bytes`` since the opening; ``applied``, ``flushed``,
        ``log_start``, ``log_tail``.
        """

    def close(self) -> None:
        """Write what is queued, flush storage, and release the folder. A second call does nothing."""

    def __enter__(self) -> Store: ...
    def __exit__(self, *_error: object) -> None: ...

def stream_formats() -> tuple[int, int, int]:
    """The newest formats that this process reads in a partition's stream: of messages, records and rows."""

def pretend_record_format(format: int) -> None:
    """Let this process be of a version with another format of records, for a test of an upgrade."""

@final
class Nats:
    """A connection to the servers of a cluster, with a thread of its own. Threads share it."""

    @staticmethod
    def connect(
        servers: str,
        *,
        name: str,
        user: str | None = None,
        password: str | None = None,
        token: str | None = None,
        credentials: str | PathLike[str] | None = None,
        timeout: float = 10.0,
    ) -> Nats:
        """Connect to any of the servers, ``nats://HOST:PORT`` separated by commas; ``credentials`` is a file's path.

        ``StorageError`` if none answers in time. A connection that is lost is made again.
        """

    @property
    def connected(self) -> bool:
        """Whether a server is connected now."""

    @property
    def version(self) -> str:
        """The version of the server that is connected."""

    def check(self, *, unsafe_sync: bool = False) -> list[str]:
        """Refuse a server that is too old, or has no JetStream: ``StorageError``.

        Returns what is accepted only because of ``unsafe_sync``.
        """

    def create_stream(
        self,
        stream: str,
        subject: str,
        *,
        replicas: int = 3,
        store: str | None = None,
        first_sequence: int = 1,
        unsafe_sync: bool = False,
    ) -> str:
        """Create a partition's stream, unless it exists; return the id of its store, which the stream's metadata keeps.

        Several nodes may do so at once. ``StorageError`` for a stream with other settings, of another store than
        ``store``, or with fewer than three replicas unless ``unsafe_sync``.
        """

    def delete_stream(self, stream: str) -> None:
        """Delete a partition's stream, if it exists."""

    def stream(self, stream: str) -> dict[str, Any] | None:
        """What the servers say of a partition's stream; None if it does not exist.

        ``store``, ``subject``, ``replicas``, ``first_sequence``, ``last_sequence``, ``messages``, ``bytes``, ``leader``
        (a server, or None), ``followers``: tuples of name, current, offline, lag.
        """

    def purge(self, stream: str, before_sequence: int) -> None:
        """Remove the messages before a sequence. Every copy must have them, and a snapshot must."""

    def close(self) -> None:
        """End the connection, once the copies that use it are closed."""

@final
class PartitionCopy:
    """One node's copy of one partition: its folder, with log and storage, and the stream that it follows or leads."""

    @staticmethod
    def open(
        folder: Folder | str | PathLike[str],
        nats: Nats,
        stream: str,
        node: str,
        *,
        segment_bytes: int | None = None,
        queue_bytes: int | None = None,
        batch_bytes: int | None = None,
        flush_bytes: int | None = None,
        write_buffer_bytes: int | None = None,
        cache_bytes: int | None = None,
    ) -> PartitionCopy:
        """Open or create the copy of a stream. Replay what its storage lacks of its log, then ``follow``.

        ``StorageError`` if the folder is not a copy of that stream, or the servers do not answer.
        """

    @staticmethod
    def offline(folder: Folder | str | PathLike[str]) -> PartitionCopy:
        """Open the copy in a folder without its stream. Replay what its storage lacks of its log; it cannot follow."""

    @staticmethod
    def look(folder: Folder | str | PathLike[str]) -> dict[str, Any] | None:
        """What a folder says of the copy in it, without opening it; None if it holds none.

        ``stream``, ``store`` (None: it holds nothing yet), and how far the copy is for certain: ``position``,
        ``sequence``, ``epoch``, ``hash``.
        """

    @property
    def store(self) -> Store:
        """The store of the present role. After a change of role the old one refuses commits: ``FencedError``."""

    def follow(self) -> None:
        """Follow from now on: a thread applies what the stream holds, and no batch can be committed.

        A leader ends first: what waits there gets ``FencedError``, and is confirmed no more.
        """

    def lead(self, timeout: float) -> Store:
        """Lead from now on: apply the stream to its end, begin an epoch behind it, and return the store to commit to.

        ``FencedError`` if another node was faster, ``StorageError`` if the servers do not answer in time; it follows on
        then. ``CorruptionError`` if the stream is not what it was.
        """

    def status(self) -> dict[str, Any]:
        """How it is.

        ``role`` (opened, following, leading, ended, failed), ``store``, ``epoch``, ``leader`` (the node that the last
        mark names, or None), ``position``, ``sequence``, ``hash`` (of all frames up to the position),
        ``last_sequence`` (of the stream, heard of last), ``heard`` (seconds since the servers answered), ``age``
        (seconds since it had all that the stream held, or None: not since it was opened), ``waiting`` (seconds that a
        publish waits), ``failure``, ``purged`` (whether it cannot go on because the stream begins behind what follows
        it).
        """

    def wait_change(self, role: str, epoch: int, timeout: float) -> bool:
        """Wait until its role or epoch is another one than these, or for the timeout; return whether it is."""

    def read_stream(self, sequence: int, max_bytes: int = 4194304) -> tuple[int, list[LogBatch]]:
        """Batches of the stream behind a sequence, and the sequence that they lead to; nothing is compared."""

    def snapshot(self, path: str | PathLike[str], store: str | None = None) -> dict[str, Any]:
        """Copy it into a new folder, the beginning of another node's copy.

        A node whose folder is that one needs only what the stream has behind it. Return where it is: ``position``,
        ``sequence``, ``epoch``, ``hash``. With ``store`` it is the beginning of another store; for a copy that is open
        without its stream.
        """

    def close(self) -> None:
        """End its role, flush everything and release the folder. A second call does nothing."""

@final
class LogStream:
    """The log in files."""

    @staticmethod
    def open(path: str | PathLike[str], *, segment_bytes: int | None = None) -> LogStream: ...
    @property
    def recovered(self) -> str | None: ...
    def append(self, batches: Sequence[tuple[int, bytes]], epoch: int, expected_last: int) -> int:
        """Append batches of ``(records, payload)``; return the last position. ``sync`` makes them durable."""

    def sync(self) -> int: ...
    def durable(self) -> int: ...
    def tail(self) -> int: ...
    def start(self) -> int: ...
    def epoch(self) -> int: ...
    def fence(self, epoch: int) -> None: ...
    def read(self, from_position: int, max_bytes: int = 8388608) -> list[LogBatch]: ...
    def truncate_before(self, position: int) -> int: ...
    def close(self) -> None: ...

@final
class FollowedLog:
    """The log of a store that another process has open, as its follower reads it."""

    @staticmethod
    def open(
        path: Folder | str | PathLike[str],
        follower: str,
        data: str | PathLike[str],
        from_position: int,
        *,
        of: str | None = None,
    ) -> FollowedLog:
        """Follow the log of the store in ``path`` from the batch that holds ``from_position``.

        ``follower`` is the follower's id, ``data`` its own folder, ``of`` the store that it followed before. Nothing is
        written; ``mark`` keeps the log from being truncated. ``StorageError`` if that position was cut off already,
        or if the log is of another store.
        """

    @property
    def store(self) -> str:
        """The id of the store whose log it is."""

    @staticmethod
    def check_copy(path: Folder | str | PathLike[str], data: Folder | str | PathLike[str]) -> None:
        """Refuse a store in ``data`` that is not a copy of that in ``path``: ``StorageError``. Nothing is written."""

    def read(self, max_bytes: int = 8388608) -> list[LogBatch]:
        """The next batches, all on the leader's disk; none if there is nothing new, in the leader's storage either:
        else the log has lost its last records (``CorruptionError``).

        They are returned again until they are passed. Intact batches are returned before an error is raised.
        ``FencedError`` if another follower took over: the log continues in that follower's folder.
        """

    @staticmethod
    def end_of(path: Folder | str | PathLike[str]) -> tuple[int, int]:
        """The last position and the last epoch of the log of the store in ``path``; nothing is written."""

    @staticmethod
    def fence_of(path: Folder | str | PathLike[str]) -> tuple[int, str, str] | None:
        """The fence of the store's log in ``path``, if any: the epoch, the follower's id and its folder."""

    def pass_to(self, position: int) -> None:
        """Drop the batches up to ``position``: they were applied."""

    def last_named(self) -> int:
        """The last position that a readable header in the log names, or storage, whatever is damaged before it."""

    def unreadable(self) -> str | None:
        """Why the leader's storage could not be read, if so: nobody can tell whether the log is whole."""

    def epoch(self) -> int:
        """The highest epoch read, of batches and of marks."""

    def tail(self) -> int:
        """The position of the last record that is written now. ``CorruptionError`` if the log has lost some."""

    def mark(self, position: int) -> None:
        """Allow the log to be truncated up to ``position``."""

    def forget(self) -> None:
        """Remove this follower's mark, so that it no longer holds back truncation."""

    def fenced(self) -> tuple[int, str, str] | None:
        """The fence of the log, if it has one: the epoch, the follower's id and its folder."""

    def fence(self, epoch: int) -> tuple[int, str, str]:
        """End the log with a fence, unless it has one; return the fence that it has then.

        All that its leader confirmed can then be read, and it confirms nothing more.
        """

    def withdraw(self) -> None:
        """Remove this follower's own fence: it has not taken over, and has no epoch of its own."""

@final
class MemoryLogStream:
    """The log in memory."""

    def __new__(cls) -> MemoryLogStream: ...
    def append(self, batches: Sequence[tuple[int, bytes]], epoch: int, expected_last: int) -> int: ...
    def sync(self) -> int: ...
    def durable(self) -> int: ...
    def tail(self) -> int: ...
    def start(self) -> int: ...
    def epoch(self) -> int: ...
    def fence(self, epoch: int) -> None: ...
    def read(self, from_position: int, max_bytes: int = 8388608) -> list[LogBatch]: ...
    def truncate_before(self, position: int) -> int: ...
    def close(self) -> None: ...

@final
class JavaRegex:
    """A compiled pattern of Java's ``java.util.regex``, with the flags ``idmsuxU``. Threads may share it.

    ``ExpressionSyntaxError`` with Java's text if it does not parse.
    """

    def __new__(cls, pattern: str, flags: str = "", steps: int = 1_000_000) -> JavaRegex: ...
    def matches(self, text: str) -> bool:
        """Whether the whole text matches. ``AslError`` (States.Runtime) if that takes more than ``steps`` steps."""

    def matches_within(self, text: str, steps: int) -> tuple[bool, int]:
        """The same with fewer steps, and how many it took."""

class JsonataError(Exception):
    """An evaluation that failed: ``(message, code or None)``."""

class JsonataSyntaxError(Exception):
    """An expression that does not parse: ``(message, code or None)``."""

@final
class Jsonata:
    """A compiled JSONata expression. An evaluation that finds nothing returns ``nothing``."""

    def __new__(cls, text: str) -> Jsonata: ...
    def evaluate(self, states: dict[str, Any], variables: dict[str, Any], nothing: object) -> Any:
        """The value with ``$states`` and the workflow variables bound, as on AWS."""

    def evaluate_over(
        self,
        data: object,
        bindings: dict[str, Any],
        nothing: object,
        depth: int | None = None,
        millis: int | None = None,
    ) -> Any:
        """The language alone over ``data``, without AWS's additions and limits; for the official test suite."""

    @property
    def variables(self) -> frozenset[str]: ...
    @property
    def states_fields(self) -> frozenset[str] | None: ...
    @property
    def context_fields(self) -> tuple[str, ...]: ...
    @property
    def reads_root(self) -> bool: ...
