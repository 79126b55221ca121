"""The garage: interlock, proof of cut, charging. An added layer beside a certified fire panel, never in its place."""
