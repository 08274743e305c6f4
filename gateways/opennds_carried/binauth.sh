#!/bin/sh
# Arobase: gives each device the seconds and rates that the portal has granted it. openNDS runs this at each sign-in.
# The browser brings them as "custom", with a seal that only the portal could make, for this one token.
[ "$1" = auth_client ] || exit 0
key='@FASKEY@'
seconds=${7%%.*} rest=${7#*.}
up=${rest%%.*} rest=${rest#*.}
down=${rest%%.*} seal=${rest#*.}
digest() { sha256sum | cut -c 1-64; }
hid=$(printf %s "$6" | digest)
rhid=$(printf %s "$hid$key" | digest)
inner=$(printf %s "$key$seconds.$up.$down.$rhid" | digest)
case "$seconds$up$down" in
*[!0-9]* | '') seal= ;;
esac
if [ "$seal" = "$(printf %s "$key$inner" | digest)" ]; then
	echo "$seconds $up $down 0 0"
	exit 0
fi
# Nobody's word: 9.10 lets in all the same, for one second.
echo "1 1 1 1 1"
exit 1
