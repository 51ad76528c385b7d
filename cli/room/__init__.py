"""The control room: one page that shows a stack at a glance, read only."""
