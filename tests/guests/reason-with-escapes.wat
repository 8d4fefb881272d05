;; A valid answer whose reason would paint, rename and mislead the terminal of who reads it, end its header early and
;; close its JSON string: an escape sequence, a bell, CR LF with a header, a quote, a C1 control, a text that runs backwards.
(data (i32.const 700) "\1b[2J\1b]0;owned\07 \0d\0ax-injected: yes\0d\0a \22,\22a\22:1 \c2\9b31m \e2\80\aetxt.exe \e2\80\8b done")
(func $misbehave (param i32) (i32.store (i32.const 276) (i32.const 700)) (i32.store (i32.const 280) (i32.const 68)))
