"""The networks, the extender stage and the artifact that carries a trained one."""
