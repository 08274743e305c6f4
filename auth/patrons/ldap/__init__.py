"""LDAP directory: the library's own (RFC 4511), asked within one deadline."""
