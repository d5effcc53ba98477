"""`callrouter doctor`: checks of the PBX and the set-up. checks.py has the list."""
