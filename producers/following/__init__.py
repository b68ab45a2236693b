"""Following files: what they grow by becomes events, each once, through rotation, restarts and `kill -9`."""

from producers.following.follower import Follower, FollowOptions, Round, Sink
from producers.following.kafka_sink import KafkaSink
from producers.following.presets import PRESETS, preset_paths
from producers.following.store import CheckpointStore, StateInUse

__all__ = [
    "PRESETS",
    "CheckpointStore",
    "FollowOptions",
    "Follower",
    "KafkaSink",
    "Round",
    "Sink",
    "StateInUse",
    "preset_paths",
]
