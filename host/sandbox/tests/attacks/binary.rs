//! Components written byte by byte: what no toolchain makes and no text form can say in reasonable time.

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// Section numbers of a component.
pub(crate) const CORE_MODULE: u8 = 1;
pub(crate) const CORE_INSTANCE: u8 = 2;
pub(crate) const NESTED: u8 = 4;
pub(crate) const TYPE: u8 = 7;
pub(crate) const IMPORT: u8 = 10;
pub(crate) const EXPORT: u8 = 11;

/// A number in as few bytes as it needs.
pub(crate) fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

pub(crate) fn section(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number], leb(content.len()).as_slice(), content].concat()
}

/// A section with `count` equal entries.
pub(crate) fn repeated(number: u8, count: usize, entry: &[u8]) -> Vec<u8> {
    section(number, &[leb(count), entry.repeat(count)].concat())
}

/// A section with `count` entries, each made of its number.
pub(crate) fn numbered(number: u8, count: usize, entry: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut content = leb(count);
    (0..count).for_each(|index| content.extend(entry(index)));
    section(number, &content)
}

pub(crate) fn name(text: &str) -> Vec<u8> {
    [leb(text.len()).as_slice(), text.as_bytes()].concat()
}

pub(crate) fn component(sections: &[Vec<u8>]) -> Vec<u8> {
    [COMPONENT, sections.concat().as_slice()].concat()
}

/// A component whose first section is this core module.
pub(crate) fn holding(module: &[Vec<u8>]) -> Vec<u8> {
    component(&[section(CORE_MODULE, &[MODULE, module.concat().as_slice()].concat())])
}

/// Components in components, `depth` of them.
pub(crate) fn nested(depth: usize) -> Vec<u8> {
    // From the inside out, written backwards: quadratic copying would take longer than the attack.
    let mut lengths = vec![COMPONENT.len()];
    for _ in 0..depth {
        let inner = lengths[lengths.len() - 1];
        lengths.push(COMPONENT.len() + 1 + leb(inner).len() + inner);
    }
    let mut bytes = COMPONENT.to_vec();
    for inner in lengths.iter().rev().skip(1) {
        bytes.push(NESTED);
        bytes.extend(leb(*inner));
        bytes.extend(COMPONENT);
    }
    bytes
}

/// A core module with one function of type `() -> ()` whose body, without its locals and its end, is `code`.
pub(crate) fn one_function(code: &[u8]) -> Vec<u8> {
    let body = [&[0], code, &[0x0b]].concat();
    holding(&[
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[1, 0]),
        section(10, &[[1].as_slice(), &leb(body.len()), &body].concat()),
    ])
}
