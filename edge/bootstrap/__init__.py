"""Setting up a checkout: environment, Node, pages, Debian packages. Standard library only: nothing is installed yet."""
