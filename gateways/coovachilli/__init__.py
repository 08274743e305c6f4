"""CoovaChilli: also Teltonika, OpenWrt builds, and what access points call "UAM" or "ChilliSpot"."""
