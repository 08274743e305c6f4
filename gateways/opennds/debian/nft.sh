#!/bin/bash
# openNDS 9.10 makes chains at a priority to which the iptables of Debian 12 can add no rules, and does not start.
exec /usr/sbin/nft "${@//-100/0}"
