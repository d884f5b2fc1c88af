"""What everything else stands on: errors, events, settings, the machine, downloads."""
