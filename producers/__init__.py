"""How usage gets in: the emitter, vendor readers, file collectors, the gateway and the simulated fleet."""
