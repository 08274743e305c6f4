"""Fixed devices: cameras, shops' connections and sensors, kept online by a register and not by a sign-in."""
