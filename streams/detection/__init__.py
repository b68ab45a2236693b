"""From the windows topic to signals: minutes put together and closed, detectors asked, their state kept. Pure."""
