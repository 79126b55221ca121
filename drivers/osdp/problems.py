"""What can be wrong with a reader, as stable codes with the remedy."""

from __future__ import annotations

_KEY_REMEDY = "give the reader a key of its own and put it into the option scbk"
PROBLEMS = {
    "default_key": f"the default key SCBK-D is printed in the specification and is refused: {_KEY_REMEDY}",
    "no_key": f"no key is given: {_KEY_REMEDY}, or set insecure for a line that nobody can reach",
    "wrong_key": "the reader has another key than the option scbk: pair it again",
    "no_secure_channel": "the reader refuses a secure channel: choose one that has it, or set insecure",
    "secure_required": f"the reader wants a secure channel: {_KEY_REMEDY}",
    "no_answer": "a reader does not answer: check its power, address, baud rate and the line's two wires",
    "channel_broken": "a reader's messages cannot be verified: the channel is set up anew",
}
