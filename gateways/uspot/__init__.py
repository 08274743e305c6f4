"""Gateways: uspot on OpenWrt, by RADIUS and UAM."""
