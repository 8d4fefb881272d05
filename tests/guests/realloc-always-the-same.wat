;; Its `cabi_realloc` gives everything the same place, so its arguments overwrite each other. That harms nobody else, and
;; as it looks at none of them it answers well.
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
(func (export "muxel:plugin/strategy@0.1.0#rank") (param i32) (result i32)
  (i32.store (i32.const 260) (i32.const 512))
  (i32.store (i32.const 264) (i32.const 1))
  (f32.store (i32.const 284) (f32.const 1))
  (i32.const 256))
