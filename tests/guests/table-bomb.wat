(table $bomb 0 funcref)
(func $misbehave (param i32) (loop $more (drop (table.grow $bomb (ref.null func) (i32.const 1000))) (br $more)))
