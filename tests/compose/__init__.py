"""The distributed run's files: compose file, image, example environment, provisioning."""
