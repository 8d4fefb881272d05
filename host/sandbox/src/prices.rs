//! What an instruction costs in fuel.
//!
//! Fuel is a verdict that can be replayed, the clock's is not: so fuel must end a call first, whatever the call is made of.
//! By default everything costs one, which is right for most. Dearer is what takes long on the processor and what is a
//! call into the host. Prices are part of a record's policy: whoever changes one changes what old decisions would have
//! cost.

use wasmtime::OperatorCost;

/// Waits for the processor: tens of cycles when each step needs the one before.
const SLOW: u8 = 5;
/// A call into the host that does little there.
const CALL: u8 = 20;
/// A call into the host that allocates or looks something up.
const DEAR: u8 = 50;
/// A call into the host that may take memory from everybody.
const GROW: u8 = 255;

pub(crate) fn table() -> OperatorCost {
    let mut cost = OperatorCost::default();
    cost.variable.memory_grow_per_page = GROW;
    // Growing by nothing is a call, too.
    (cost.MemoryGrow, cost.TableGrow) = (GROW, GROW);
    (cost.RefFunc, cost.ElemDrop, cost.DataDrop) = (DEAR, DEAR, DEAR);
    (cost.MemoryCopy, cost.MemoryFill, cost.MemoryInit) = (CALL, CALL, CALL);
    (cost.TableCopy, cost.TableFill, cost.TableInit) = (CALL, CALL, CALL);
    (cost.I32DivS, cost.I32DivU, cost.I32RemS, cost.I32RemU) = (SLOW, SLOW, SLOW, SLOW);
    (cost.I64DivS, cost.I64DivU, cost.I64RemS, cost.I64RemU) = (SLOW, SLOW, SLOW, SLOW);
    (cost.F32Div, cost.F64Div, cost.F32x4Div, cost.F64x2Div) = (SLOW, SLOW, SLOW, SLOW);
    (cost.F32Sqrt, cost.F64Sqrt, cost.F32x4Sqrt, cost.F64x2Sqrt) = (SLOW, SLOW, SLOW, SLOW);
    cost
}
