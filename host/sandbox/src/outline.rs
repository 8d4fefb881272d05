//! What a component looks like from outside, read before anything is compiled.
//!
//! Parsing costs time in proportion to the bytes; compiling may cost far more. So size, structure and imports are looked
//! at here, cheaply and in this process, and only what passes goes to the compiler.

use wasmparser::{Encoding, Parser, Payload};

use crate::{engine::Tier, wasi};

/// What every interface of the contract is called, up to its own name.
pub(crate) const PACKAGE: &str = "muxel:plugin/";

/// Deepest nesting of components and modules. A component with WASI's adapter has three levels.
const DEEPEST: usize = 8;

/// The most of each thing that one component may have.
#[derive(Clone, Copy, Debug)]
struct Caps {
    parts: u32,
    types: u32,
    imports: u32,
    exports: u32,
    functions: u32,
    instances: u32,
    /// Bytes of one function.
    body: usize,
    segments: u32,
}

impl Caps {
    fn of(tier: Tier) -> Self {
        match tier {
            Tier::Fast => Self {
                parts: 16,
                types: 4_096,
                imports: 256,
                exports: 512,
                functions: 16_384,
                instances: 256,
                body: 128 << 10,
                segments: 4_096,
            },
            Tier::Slow => Self {
                parts: 64,
                types: 65_536,
                imports: 4_096,
                exports: 16_384,
                functions: 200_000,
                instances: 1_024,
                body: 1 << 20,
                segments: 65_536,
            },
        }
    }
}

/// A component's surface and how much of everything it has.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Names of the outermost imports.
    pub(crate) imports: Vec<String>,
    /// Names of the outermost exports.
    pub(crate) exports: Vec<String>,
    depth: usize,
    parts: u32,
    types: u32,
    all_imports: u32,
    all_exports: u32,
    functions: u32,
    instances: u32,
    largest_body: usize,
    segments: u32,
}

/// Why bytes have no outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OutlineError {
    /// It is no well-formed component.
    Malformed(String),
    /// It has more of something than any plugin needs.
    Excess { wants: String, limit: String },
}

impl Outline {
    /// # Errors
    ///
    /// Malformed bytes, and more than the slow tier takes.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, OutlineError> {
        let most = Caps::of(Tier::Slow);
        let mut outline = Self::default();
        let mut level = 0usize;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(|error| malformed(&error))?;
            outline.note(&payload, &mut level)?;
            // Stop at once: what follows may be millions more.
            outline.check(&most)?;
        }
        Ok(outline)
    }

    /// Whether it fits into a tier.
    pub(crate) fn fits(&self, tier: Tier) -> Result<(), OutlineError> {
        self.check(&Caps::of(tier))
    }

    /// The first import that no plugin may have.
    pub(crate) fn forbidden_import(&self) -> Option<&str> {
        self.imports.iter().map(String::as_str).find(|import| !is_ours(import) && !is_wasi(import))
    }

    /// Whether it imports anything but the contract's own types.
    pub(crate) fn needs_wasi(&self) -> bool {
        self.imports.iter().any(|import| !is_ours(import))
    }

    fn note(&mut self, payload: &Payload<'_>, level: &mut usize) -> Result<(), OutlineError> {
        match payload {
            Payload::Version { encoding, .. } if *level == 0 && *encoding != Encoding::Component => {
                return Err(OutlineError::Malformed("it is a core module".to_owned()));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                *level += 1;
                self.parts += 1;
                self.depth = self.depth.max(*level);
            }
            Payload::End(_) => *level = level.saturating_sub(1),
            Payload::TypeSection(section) => self.types = self.types.saturating_add(section.count()),
            Payload::ComponentTypeSection(section) => self.types = self.types.saturating_add(section.count()),
            Payload::CoreTypeSection(section) => self.types = self.types.saturating_add(section.count()),
            Payload::ImportSection(section) => self.all_imports = self.all_imports.saturating_add(section.count()),
            Payload::ComponentImportSection(section) => {
                self.all_imports = self.all_imports.saturating_add(section.count());
                if *level == 0 && section.count() <= Caps::of(Tier::Slow).imports {
                    for import in section.clone() {
                        let import = import.map_err(|error| malformed(&error))?;
                        self.imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ExportSection(section) => self.all_exports = self.all_exports.saturating_add(section.count()),
            Payload::ComponentExportSection(section) => {
                self.all_exports = self.all_exports.saturating_add(section.count());
                if *level == 0 && section.count() <= Caps::of(Tier::Slow).exports {
                    for export in section.clone() {
                        let export = export.map_err(|error| malformed(&error))?;
                        self.exports.push(export.name.name.to_owned());
                    }
                }
            }
            Payload::FunctionSection(section) => self.functions = self.functions.saturating_add(section.count()),
            Payload::ComponentCanonicalSection(section) => {
                self.functions = self.functions.saturating_add(section.count());
            }
            Payload::InstanceSection(section) => self.instances = self.instances.saturating_add(section.count()),
            Payload::ComponentInstanceSection(section) => {
                self.instances = self.instances.saturating_add(section.count());
            }
            Payload::ComponentAliasSection(section) => self.types = self.types.saturating_add(section.count()),
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                self.largest_body = self.largest_body.max((range.end - range.start) as usize);
            }
            Payload::DataSection(section) => self.segments = self.segments.saturating_add(section.count()),
            Payload::ElementSection(section) => self.segments = self.segments.saturating_add(section.count()),
            _ => {}
        }
        Ok(())
    }

    fn check(&self, caps: &Caps) -> Result<(), OutlineError> {
        let counts = [
            (self.parts, caps.parts, "modules and components"),
            (self.types, caps.types, "types"),
            (self.all_imports, caps.imports, "imports"),
            (self.all_exports, caps.exports, "exports"),
            (self.functions, caps.functions, "functions"),
            (self.instances, caps.instances, "instances"),
            (self.segments, caps.segments, "data and element segments"),
        ];
        for (count, most, what) in counts {
            if count > most {
                return Err(OutlineError::Excess { wants: format!("{count} {what}"), limit: most.to_string() });
            }
        }
        if self.depth > DEEPEST {
            let wants = format!("components nested {} deep", self.depth);
            return Err(OutlineError::Excess { wants, limit: DEEPEST.to_string() });
        }
        if self.largest_body > caps.body {
            let wants = format!("a function of {} bytes", self.largest_body);
            return Err(OutlineError::Excess { wants, limit: caps.body.to_string() });
        }
        Ok(())
    }
}

fn malformed(error: &wasmparser::BinaryReaderError) -> OutlineError {
    OutlineError::Malformed(error.to_string())
}

/// The contract's own package, whatever its version: that is judged where it can be explained.
fn is_ours(import: &str) -> bool {
    import.starts_with(PACKAGE)
}

fn is_wasi(import: &str) -> bool {
    let Some((name, version)) = import.split_once('@') else { return false };
    (wasi::ALLOWED.contains(&name) || name == wasi::POLL) && version.starts_with("0.2.")
}
