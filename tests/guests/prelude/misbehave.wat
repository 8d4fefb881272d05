(func $misbehave (param $arguments i32))
