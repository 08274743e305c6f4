"""openNDS: its FAS protocol, by whose levels 3 and 4 the gateway's authmon asks the portal whom to let in."""
