"""What has to be right before a deployed stack goes live; each check is a function of its own."""
