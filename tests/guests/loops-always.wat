;; Never answers anything.
(func (export "muxel:plugin/strategy@0.1.0#rank") (param i32) (result i32) (loop $for_ever (br $for_ever)) unreachable)
