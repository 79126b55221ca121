"""What the API and a daemon use to talk: the server of the daemon, the client of everybody else.

One import place for both ends; the messages are in ``ipc_messages``. The body is in ``ipc_server`` (what the daemon
does), ``ipc_peer`` (one client seen from the daemon), ``ipc_client`` and ``ipc_frames`` (length prefix, peer check).
"""

from edge.runtime.ipc_client import AnswerUnknownError, DaemonStatus, DaemonUnreachableError, IpcClient
from edge.runtime.ipc_messages import Answer, ViewUpdate
from edge.runtime.ipc_server import IpcServer

__all__ = [
    "Answer",
    "AnswerUnknownError",
    "DaemonStatus",
    "DaemonUnreachableError",
    "IpcClient",
    "IpcServer",
    "ViewUpdate",
]
