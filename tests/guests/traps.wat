(func $misbehave (param i32) unreachable)
