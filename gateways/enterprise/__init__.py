"""WPA-Enterprise: an access point's encrypted network, where devices join with a certificate. One kind of gateway."""
