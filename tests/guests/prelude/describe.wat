;; The manifest lies at 1,024: name, version, summary, settings, reads (a pointer and a length each), memory-format.
(data (i32.const 1024) "\6a\04\00\00\05\00\00\00" "\74\04\00\00\05\00\00\00" "\7e\04\00\00\07\00\00\00")
(data (i32.const 1056) "\4c\04\00\00\01\00\00\00")
(data (i32.const 1100) "\60\04\00\00\06\00\00\00")
(data (i32.const 1120) "prompt")
(data (i32.const 1130) "guest")
(data (i32.const 1140) "0.1.0")
(data (i32.const 1150) "a guest")
(func (export "muxel:plugin/describe@0.1.0#describe") (result i32) (i32.const 1024))
