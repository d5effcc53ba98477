"""What live tests, the demo and the bench are made of: a sandbox Asterisk, the router's own process, SIPp."""
