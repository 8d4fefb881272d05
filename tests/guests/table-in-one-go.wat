(table $bomb 0 funcref)
(func $misbehave (param i32) (drop (table.grow $bomb (ref.null func) (i32.const 2000000000))))
