;; The plainest attack. Fuel ends it, so the verdict is the same on every machine.
(func $misbehave (param i32) (loop $for_ever (br $for_ever)))
