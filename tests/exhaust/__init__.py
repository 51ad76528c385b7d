"""Small worlds, searched whole: every order of a few steps, over the real use cases."""
