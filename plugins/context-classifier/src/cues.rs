//! The words and phrases that say what kind of picture is wanted.
//!
//! A row is a label, how much each of its words adds to that label's score, what else they tell, and the words. The
//! weights were fitted on public prompt collections (PartiPrompts, UniGenBench) with one number a row, not one a word:
//! a word that those collections happen to lack works like its neighbours. Rows of weight 0 only mark traits.
//!
//! At compile time the rows become one table sorted by hash, so that looking up a word costs a dozen instructions and
//! no string is ever compared.

use crate::labels::{ARTISTIC, GENERAL, REALISTIC, TECHNICAL};

/// What a word tells besides its label: a bit for each trait, in the order of [`TRAITS`], and two counters.
pub(crate) type Flags = u16;

pub(crate) const TRAITS: [&str; 8] =
    ["text", "negation", "quantity", "people", "transparency", "photo", "style", "layout"];
pub(crate) const TEXT: Flags = 1;
pub(crate) const NEGATION: Flags = 1 << 1;
pub(crate) const QUANTITY: Flags = 1 << 2;
const PEOPLE: Flags = 1 << 3;
pub(crate) const TRANSPARENCY: Flags = 1 << 4;
const PHOTO: Flags = 1 << 5;
const STYLE: Flags = 1 << 6;
const LAYOUT: Flags = 1 << 7;
/// It introduces a thing.
pub(crate) const THING: Flags = 1 << 8;
/// It relates two things.
pub(crate) const RELATION: Flags = 1 << 9;

struct Row {
    label: usize,
    /// What each word adds to the label's score, in tenths.
    tenths: u8,
    flags: Flags,
    /// Words, or phrases of two, between bars.
    words: &'static str,
}

const fn row(label: usize, tenths: u8, flags: Flags, words: &'static str) -> Row {
    Row { label, tenths, flags, words }
}

const ROWS: &[Row] = &[
    row(
        ARTISTIC,
        31,
        STYLE,
        "drawing|sketch|sketched|doodle|cartoon|comic|manga|anime|watercolor|watercolour|gouache|charcoal|pastel|crayon|\
         ink wash|ink painting|brush strokes|brushstrokes|ukiyo|woodcut|linocut|engraving|etching|papercut|paper cut|\
         origami|embroidery|tapestry|fresco|claymation|stop motion|pixel art|voxel|minecraft|impressionist|\
         impressionism|expressionist|cubist|cubism|art nouveau|pop art|psychedelic|vaporwave|synthwave|fairy tale|\
         fairytale|ghibli|miyazaki|pixar|disney|starry night|mona lisa|van gogh|monet|picasso|dali|hokusai|klimt|\
         caricature|chibi|kawaii|concept art|diorama|coloring book|colouring book",
    ),
    row(
        ARTISTIC,
        20,
        STYLE,
        "painting|paintings|painted|painterly|oil painting|acrylic|drawn|hand drawn|draw|pencil|illustrated|abstract|\
         animation|animated|sculpture|sculptures|sculpted|statue|figurine|bronze|clay|plasticine|stained glass|mosaic|\
         mural|graffiti|lego|steampunk|cyberpunk|gothic|fantasy|fantastical|surrealist|surreal|surrealism|dreamlike|\
         dreamy|whimsical|ethereal|magic|magical|mythical|enchanted|miniature|artwork|tarot|renaissance",
    ),
    row(ARTISTIC, 13, STYLE, "illustration|ink|pixel|art deco|render|rendered|low poly|artistic|art"),
    row(
        ARTISTIC,
        12,
        0,
        "dragon|unicorn|mermaid|phoenix|fairy|elf|wizard|witch|knight|monster|ghost|castle|mecha|nebula|galaxy|cosmic|\
         wings|halo|lava|fiery|moon|clouds|cloud|crystals|mysterious|mystical|patina|shape of|shaped like|turned into|\
         made of|robot|astronaut|floats|suspended|woven|knitted|porcelain|dream|soul|infinity|imagination",
    ),
    row(
        REALISTIC,
        50,
        PHOTO,
        "photo|photos|photograph|photographs|photographic|photography|photorealistic|photoreal|photorealism|\
         hyperrealistic|photojournalism|dslr|35mm|50mm|85mm|bokeh|polaroid|snapshot|selfie|headshot|kodak|fujifilm|\
         national geographic|depth of|shallow depth|long exposure|telephoto|fisheye|film still|movie still|\
         documentary|cinematic",
    ),
    row(
        REALISTIC,
        16,
        PHOTO,
        "movie|film|stills|footage|camera|lens|macro|wide angle|aerial|drone|high resolution|high contrast|realistic|\
         realism|lifelike|candid|shot|natural light|golden hour|cctv|wildlife|8k|4k|hdr",
    ),
    row(
        REALISTIC,
        12,
        0,
        "morning|afternoon|dusk|wrinkles|elderly|fur|dusty|yellowed|abandoned|silent|suspense|tension|window|street|\
         newspaper|outside|brows|resting",
    ),
    row(
        TECHNICAL,
        45,
        LAYOUT,
        "logo|logos|logotype|infographic|flowchart|flow chart|schematic|blueprint|wireframe|mockup|spreadsheet|chart|\
         graph|diagram|ui|ux|user interface|web page|webpage|website|landing page|dashboard|homepage|screenshot|\
         app icon|icon set|icons|floor plan|cross section|technical drawing|business card|brochure|flyer|letterhead|\
         worksheet|isometric|typography|storyboard|book cover|album cover|magazine cover",
    ),
    row(
        TECHNICAL,
        45,
        0,
        "sphere|spheres|circle|circles|triangle|triangles|rectangle|rectangles|hexagon|cylinder|dashed|\
         white background|black background|plain background|solid background|sticker|advertisement|advertising|\
         equation|formula|emblem|vector|barcode|qr code|geometric shapes",
    ),
    row(
        TECHNICAL,
        33,
        TEXT,
        "the word|saying|slogan|lettering|titled|caption|captioned|headline|spells|spelling|that says|\
         that reads|the text|text reading",
    ),
    row(
        TECHNICAL,
        17,
        LAYOUT,
        "poster|app|interface|icon|advert|billboard|packaging|invitation|menu|graphic|layout|overall design|\
         color blocks|grid|map|timeline|table of|greeting card|birthday card",
    ),
    row(
        TECHNICAL,
        17,
        0,
        "minimalist|design|designed|geometric|symmetrical|symmetry|interior|living room|architectural|architecture|\
         product|e commerce|cube|cubes|box|boxes|square|squares|triangular|lines|flat|gradient|gradients|badge|mascot|\
         themed|brand|letters",
    ),
    row(TECHNICAL, 10, 0, "blue|clean|simple|modern|overall|screen|pure|metallic|silver|number|elements|identical"),
    row(
        TECHNICAL,
        8,
        LAYOUT | RELATION,
        "left of|right of|next to|on top|above|below|center of|centre of|the center|the centre",
    ),
    row(
        GENERAL,
        0,
        TEXT,
        "words|text|sign|written|reads|says|inscription|inscribed|printed|label|labeled|labelled|banner|\
         signboard|title|subtitle|subtitles|speech bubble|font|serif|handwriting|handwritten",
    ),
    row(
        GENERAL,
        0,
        LAYOUT | RELATION,
        "behind|beneath|underneath|between|foreground|in front|the left|the right|top left|top right|bottom left|\
         bottom right|upper left|upper right|lower left|lower right|side by",
    ),
    row(
        GENERAL,
        0,
        NEGATION,
        "no|not|without|never|none|nothing|nobody|neither|nor|cannot|cant|dont|doesnt|didnt|isnt|arent|wasnt|werent|\
         wont|hasnt|havent|hadnt|couldnt|wouldnt|shouldnt|except|absence of|lack of|free of|nowhere",
    ),
    row(
        GENERAL,
        0,
        QUANTITY | THING,
        "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty|fifty|dozen|trio|\
         pile of|bunch of",
    ),
    row(
        GENERAL,
        0,
        PEOPLE,
        "man|men|woman|women|person|people|boy|boys|girl|girls|child|children|kid|kids|baby|couple|family|father|\
         mother|lady|gentleman|crowd|portrait|face|worker|doctor|nurse|teacher|student|students|chef|farmer|soldier|\
         soldiers|dancer|ballerina|musician|singer|athlete|bride|groom|king|queen|prince|princess|human|humans|\
         detective|scientist|fisherman|grandmother|grandfather|sisters|brothers|hands",
    ),
    row(
        GENERAL,
        0,
        TRANSPARENCY,
        "transparent background|transparent png|alpha channel|background removed|cutout|no background",
    ),
    row(GENERAL, 0, STYLE, "style|styled|style of|aesthetic"),
    row(GENERAL, 0, THING, "a|an|some|many|another|several|both"),
    row(
        GENERAL,
        0,
        RELATION,
        "on|in|under|over|with|and|inside|beside|against|near|around|through|into|holding|wearing|riding|beyond|for|at|showing|from|to",
    ),
];

/// One word or phrase, in eight bytes: the table is copied into the sandbox with every call that reads it.
#[derive(Clone, Copy)]
pub(crate) struct Cue {
    hash: u32,
    pub(crate) flags: Flags,
    label: u8,
    tenths: u8,
}

impl Cue {
    pub(crate) fn label(self) -> usize {
        usize::from(self.label)
    }

    pub(crate) fn weight(self) -> f32 {
        f32::from(self.tenths) / 10.0
    }
}

/// The index of the cue with this hash.
pub(crate) fn find(hash: u32) -> Option<usize> {
    let index = CUES.partition_point(|cue| cue.hash < hash);
    (index < COUNT && CUES[index].hash == hash).then_some(index)
}

pub(crate) const EMPTY: u32 = 0x811c_9dc5;

/// Continues a hash with one byte (FNV-1a). A phrase hashes like its words with one space between.
pub(crate) const fn hash_on(hash: u32, byte: u8) -> u32 {
    (hash ^ byte as u32).wrapping_mul(0x0100_0193)
}

pub(crate) const COUNT: usize = {
    let (mut count, mut row) = (0, 0);
    while row < ROWS.len() {
        let (words, mut at) = (ROWS[row].words.as_bytes(), 0);
        count += 1;
        while at < words.len() {
            count += (words[at] == b'|') as usize;
            at += 1;
        }
        row += 1;
    }
    count
};

pub(crate) static CUES: [Cue; COUNT] = sorted(hashed());

const fn hashed() -> [Cue; COUNT] {
    let mut cues = [Cue { hash: 0, flags: 0, label: 0, tenths: 0 }; COUNT];
    let (mut next, mut at_row) = (0, 0);
    while at_row < ROWS.len() {
        let row = &ROWS[at_row];
        let (words, mut at, mut hash) = (row.words.as_bytes(), 0, EMPTY);
        while at <= words.len() {
            if at == words.len() || words[at] == b'|' {
                cues[next] = Cue { hash, flags: row.flags, label: row.label as u8, tenths: row.tenths };
                next += 1;
                hash = EMPTY;
            } else {
                hash = hash_on(hash, words[at]);
            }
            at += 1;
        }
        at_row += 1;
    }
    cues
}

/// By insertion: a few hundred rows, at compile time. A word in two rows, or two of one hash, does not compile.
const fn sorted(mut cues: [Cue; COUNT]) -> [Cue; COUNT] {
    let mut next = 1;
    while next < COUNT {
        let cue = cues[next];
        let mut at = next;
        while at > 0 && cues[at - 1].hash > cue.hash {
            cues[at] = cues[at - 1];
            at -= 1;
        }
        assert!(at == 0 || cues[at - 1].hash != cue.hash, "a word stands in two rows");
        cues[at] = cue;
        next += 1;
    }
    cues
}
