#!/bin/sh
# Tells the other parts of the server where this one is, and starts it.
TEMPORAL_BROADCAST_ADDRESS=$(hostname -i | cut -d' ' -f1)
export TEMPORAL_BROADCAST_ADDRESS
exec temporal-server start
