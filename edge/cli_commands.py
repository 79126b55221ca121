"""The commands by name: one line of help each, where the code lives, and what must be set up before it runs.

This table is read by the bootstrap under the system's Python, before anything is installed, and by ``edge.cli`` inside
the environment; so it imports nothing. The help that both print is made here, from the same lines.
"""

RUNTIME = "runtime"
DEV = "dev"
PAGES = "pages"
NODE = "node"
DEBIAN = "debian"

# name: (module, attribute, one line of help, what it needs)
COMMANDS = {
    "setup": ("edge.cli_setup", "setup", "Install what the box needs and build the pages.", (RUNTIME, PAGES)),
    "demo": ("edge.cli_demo", "demo", "Run a whole site with simulated devices; prints one link.", (RUNTIME, PAGES)),
    "test": ("edge.cli_test", "test", "Run the tests, and the checks beside them.", (DEV, PAGES, NODE, DEBIAN)),
    "check": ("edge.cli_check", "check", "Lint, types, import rules; Python and pages.", (DEV, NODE)),
    "up": ("edge.cli_run", "up", "Run and supervise all that the site file names.", (RUNTIME, PAGES)),
    "run": ("edge.cli_run", "run", "Run one process: canteen, garage, gym, history or api.", (RUNTIME, PAGES)),
    "decode": ("edge.cli_decode", "decode", "Show what a protocol decoder makes of hex lines.", (RUNTIME,)),
    "sim": ("edge.cli_sim", "sim", "Smoke, racing hearts and more in the running demo.", (RUNTIME,)),
    "quote": ("edge.cli_quote", "quote", "Price dishes for a diner and print the explained receipt.", (RUNTIME,)),
    "replay": ("edge.cli_run", "replay", "Replay a kept log and compare every effect.", (RUNTIME,)),
    "bench": ("edge.cli_bench", "bench", "Measure speed and size against their floors.", (DEV, PAGES)),
    "config": ("edge.cli_config", "config", "config check: report every mistake of a site.", (RUNTIME,)),
    "user": ("edge.cli_user", "user", "Accounts, terminal tokens and one-time links.", (RUNTIME,)),
    "backup": ("edge.cli_store", "backup", "Put all stores into one checked file, while they run.", (RUNTIME,)),
    "restore": ("edge.cli_store", "restore", "Put a backup back; what was there is kept.", (RUNTIME,)),
    "store": ("edge.cli_store_look", "store", "store verify: is all whole; store info: sizes, lags.", (RUNTIME,)),
    "sink": ("edge.cli_sink", "sink", "Lag of each sink; send refused lines again or drop them.", (RUNTIME,)),
    "version": ("edge.cli_setup", "version", "Print the version.", (RUNTIME,)),
}

# Commands of the design that come with the part of the product that they belong to.
LATER = {
    "explain": "the trace of a decision",
    "doctor": "operations",
    "menu": "menu planning",
    "token": "operations (terminal tokens: kangle user token)",
    "audit": "the audit chain",
    "device": "device set-up",
}

USAGE = "Usage: kangle COMMAND [ARGUMENTS]"
HEAD = """Kangle Edge: the edge box of a community. It prices a tray of chipped plates, cuts a garage's chargers when
there is smoke, and turns gym machines into honest workouts."""
TAIL = """`kangle COMMAND --help` tells more. Human text goes to stderr, data to stdout.
Exit status: 0 ok, 1 a check failed, 2 usage, 3 the site file is wrong, 4 something is missing or cannot be reached,
130 interrupted."""


def help_text() -> str:
    """What ``kangle --help`` prints, with or without an environment."""
    lines = [f"  {name:<9}{entry[2]}" for name, entry in COMMANDS.items()]
    return "\n".join([USAGE, "", HEAD, "", "Commands:", *lines, "", TAIL])


def unknown_text(name: str) -> str:
    """The one answer to a command that cannot run here; exit status 2."""
    if name in LATER:
        return f"kangle {name} is not built yet: it arrives with {LATER[name]}."
    return f"kangle has no command {name!r}. It has: {' '.join(COMMANDS)}."
