;; World: hoarder
;; What runs when its resource is given back never ends.
(import "[export]test:guests/hoard" "[resource-new]thing" (func $new (param i32) (result i32)))
(import "[export]test:guests/hoard" "[resource-drop]thing" (func $drop (param i32)))
(func (export "test:guests/hoard#[dtor]thing") (param i32) (loop $for_ever (br $for_ever)))
(func $misbehave (param i32) (call $drop (call $new (i32.const 1))))
