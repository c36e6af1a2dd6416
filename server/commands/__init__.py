"""What each command of ``isthmus`` does. A module is imported when one of its commands is run, and not before."""
