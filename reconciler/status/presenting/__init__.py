"""From what is published to the published types: pure functions of one ``Picture``. They choose what may be said."""
