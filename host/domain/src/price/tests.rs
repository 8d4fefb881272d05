use proptest::prelude::*;

use super::*;
use crate::request::Inputs;

fn size(text: &str) -> Size {
    text.parse().expect("a size")
}

fn request(count: u32, at: &str) -> Request {
    Request { count, size: Some(size(at)), ..Request::for_prompt("a red bicycle") }
}

fn expected(price: &Price, request: &Request) -> MicroUsd {
    list_price(&price.tariff(request.size, PriceFactor::ONE), request).expect("priced").expected
}

#[test]
fn a_flat_price_counts_pictures() {
    assert_eq!(expected(&Price::PerImage(MicroUsd(40_000)), &request(3, "1024x1024")), MicroUsd(120_000));
}

#[test]
fn megapixels_are_rounded_up_to_their_step() {
    let price = Price::PerMegapixel { price: MicroUsd(25_000), step_hundredths: 100, base: MicroUsd::ZERO };
    assert_eq!(expected(&price, &request(1, "1024x1024")), MicroUsd(50_000));
    assert_eq!(expected(&price, &request(1, "1000x1000")), MicroUsd(25_000));
}

#[test]
fn the_first_megapixel_has_a_price_of_its_own() {
    let price = Price::FirstMegapixel { price: MicroUsd(30_000), further: MicroUsd(15_000), input: MicroUsd(2_000) };
    assert_eq!(expected(&price, &request(1, "64x64")), MicroUsd(30_000));
    assert_eq!(expected(&price, &request(2, "1024x1024")), MicroUsd(60_000));
    assert_eq!(expected(&price, &request(1, "1040x1024")), MicroUsd(45_000));
    assert_eq!(expected(&price, &request(1, "2048x2048")), MicroUsd(75_000));
    let edit = Request { inputs: Inputs { images: 2, ..Inputs::default() }, ..request(1, "1024x1024") };
    assert_eq!(expected(&price, &edit), MicroUsd(34_000));
}

#[test]
fn tokens_follow_the_table_not_the_pixels() {
    let price = Price::Tokens {
        text_in: MicroUsd(5_000_000),
        image_in: MicroUsd(8_000_000),
        out: MicroUsd(30_000_000),
        expected_out: [(size("1024x1024"), 1_757), (size("1024x1536"), 1_373)].into(),
        expected_image_in: 0,
    };
    // 13 characters are 4 text tokens: 20 micro-dollars.
    assert_eq!(expected(&price, &request(1, "1024x1024")), MicroUsd(52_710 + 20));
    assert_eq!(expected(&price, &request(1, "1024x1536")), MicroUsd(41_190 + 20));
}

#[test]
fn an_unlisted_size_has_a_wider_upper_price() {
    let price = Price::BySize([(size("1024x1024"), MicroUsd(10_000))].into());
    let asked = request(1, "2048x2048");
    let estimate = list_price(&price.tariff(asked.size, PriceFactor::ONE), &asked).expect("priced");
    assert_eq!(estimate, Estimate { expected: MicroUsd(10_000), upper: MicroUsd(15_000) });
}

#[test]
fn unknown_is_not_free() {
    assert_eq!(list_price(&Tariff::default(), &request(1, "1024x1024")), None);
}

proptest! {
    #[test]
    fn upper_is_never_under_expected(price in any::<u64>(), out in any::<u32>(), count in 1..=10u32, listed: bool) {
        let tariff = Tariff {
            known: true,
            per_output: MicroUsd(price),
            tokens_out: MicroUsd(price),
            expected_tokens_out: out,
            listed_size: listed,
            ..Tariff::default()
        };
        let estimate = list_price(&tariff, &request(count, "1024x1024")).expect("priced");
        prop_assert!(estimate.upper >= estimate.expected);
    }
}

#[test]
fn seconds_of_a_picture_are_not_known_and_never_free() {
    let by_size = [(size("3840x2160"), MicroUsd(600_000))].into();
    let price = Price::PerSecond { price: MicroUsd(400_000), by_size };
    let tariff = |at: &str| price.tariff(Some(size(at)), PriceFactor::ONE);
    assert_eq!((tariff("3840x2160").per_second, tariff("3840x2160").listed_size), (MicroUsd(600_000), true));
    assert_eq!((tariff("1280x720").per_second, tariff("1280x720").listed_size), (MicroUsd(400_000), false));
    assert_eq!(list_price(&tariff("1280x720"), &request(1, "1280x720")), None);
    assert_eq!(price.per_usual_picture(), None);
}

#[test]
fn credits_have_a_price_and_may_depend_on_the_size() {
    let per_picture = Credits::new(35.0).expect("credits");
    let twice = Credits::new(70.0).expect("credits");
    let flat = Price::Credits { price: MicroUsd(1_000), per_picture, by_size: BTreeMap::new() };
    assert_eq!(expected(&flat, &request(2, "1024x1024")), MicroUsd(70_000));
    assert!(flat.tariff(Some(size("640x480")), PriceFactor::ONE).listed_size);
    let table = Price::Credits { price: MicroUsd(1_000), per_picture, by_size: [(size("2048x2048"), twice)].into() };
    assert_eq!(expected(&table, &request(1, "2048x2048")), MicroUsd(70_000));
    let asked = request(1, "1024x1024");
    let guessed = list_price(&table.tariff(asked.size, PriceFactor::ONE), &asked);
    assert_eq!(guessed, Some(Estimate { expected: MicroUsd(35_000), upper: MicroUsd(52_500) }));
    assert_eq!(table.credits(Some(size("2048x2048")), 3), Credits::new(210.0));
}

#[test]
fn a_count_of_credits_becomes_a_bill_at_the_negotiated_price() {
    let per_picture = Credits::new(35.0).expect("credits");
    let price = Price::Credits { price: MicroUsd(1_000), per_picture, by_size: BTreeMap::new() };
    let half = PriceFactor::new(0.5).expect("a factor");
    assert_eq!(price.credit_bill(Credits::new(40.5).expect("credits"), half), Some(MicroUsd(20_250)));
    assert_eq!(Price::PerImage(MicroUsd(1)).credit_bill(per_picture, half), None);
}

/// Amounts up to 100 USD, small and large alike.
fn amount() -> impl Strategy<Value = MicroUsd> {
    (0..=26u32, 0..100_000_000u64).prop_map(|(bits, value)| MicroUsd(value >> bits))
}

fn any_size() -> impl Strategy<Value = Size> {
    (1..=4096u32, 1..=4096u32).prop_map(|(width, height)| Size::new(width, height).expect("in range"))
}

fn credits() -> impl Strategy<Value = Credits> {
    (0..1_000_000u32).prop_map(|thousandths| Credits::new(f64::from(thousandths) / 1e3).expect("in range"))
}

fn table<T: std::fmt::Debug>(row: impl Strategy<Value = T>) -> impl Strategy<Value = BTreeMap<Size, T>> {
    prop::collection::btree_map(any_size(), row, 0..4)
}

/// Every form in which pictures are sold.
fn any_price() -> impl Strategy<Value = Price> {
    prop_oneof![
        amount().prop_map(Price::PerImage),
        table(amount()).prop_map(Price::BySize),
        (amount(), 0..=400u32, amount()).prop_map(|(price, step_hundredths, base)| Price::PerMegapixel {
            price,
            step_hundredths,
            base
        }),
        (amount(), amount(), amount()).prop_map(|(price, further, input)| Price::FirstMegapixel {
            price,
            further,
            input
        }),
        (amount(), credits(), table(credits())).prop_map(|(price, per_picture, by_size)| Price::Credits {
            price,
            per_picture,
            by_size
        }),
        ([amount(), amount(), amount()], table(0..100_000u32), 0..10_000u32).prop_map(
            |([text_in, image_in, out], expected_out, expected_image_in)| Price::Tokens {
                text_in,
                image_in,
                out,
                expected_out,
                expected_image_in,
            }
        ),
    ]
}

prop_compose! {
    fn any_request()(count in 1..=10u32, images in 0..=16u32, chars in 0..2_000usize, size in any_size()) -> Request {
        let inputs = Inputs { images, ..Inputs::default() };
        Request { count, size: Some(size), inputs, ..Request::for_prompt(&"x".repeat(chars)) }
    }
}

/// A factor in millionths: from free to ten times the price.
fn millionths() -> impl Strategy<Value = u64> {
    prop_oneof![Just(1_000_000), Just(750_000), 0..10_000_000u64]
}

fn factor(millionths: u64) -> PriceFactor {
    PriceFactor::new(millionths as f64 / 1e6).expect("in range")
}

fn priced(price: &Price, request: &Request, factor: PriceFactor) -> Option<Estimate> {
    list_price(&price.tariff(request.size, factor), request)
}

/// What `request` costs before anything is rounded, in millionths of a micro-dollar, worked out from the form itself.
fn exact(price: &Price, request: &Request) -> Option<u128> {
    const ONE: u128 = 1_000_000;
    let (count, images) = (u128::from(request.count), u128::from(request.inputs.images));
    let size = request.size.expect("sized");
    let micros = |amount: &MicroUsd| u128::from(amount.0);
    let row = |table: &BTreeMap<Size, u128>| {
        let near = || table.iter().min_by_key(|(listed, _)| listed.pixels().abs_diff(size.pixels()));
        table.get(&size).or_else(|| near().map(|(_, row)| row)).copied()
    };
    Some(match price {
        Price::PerImage(price) => micros(price) * count * ONE,
        Price::BySize(table) => row(&table.iter().map(|(size, row)| (*size, micros(row))).collect())? * count * ONE,
        Price::PerMegapixel { price, step_hundredths, base } => {
            let hundredths = u128::from(size.pixels().div_ceil(10_000));
            let hundredths = hundredths.next_multiple_of(u128::from((*step_hundredths).max(1)));
            (micros(base) * ONE + micros(price) * hundredths * ONE / 100) * count
        }
        Price::FirstMegapixel { price, further, input } => {
            let megapixels = u128::from(size.pixels().div_ceil(1024 * 1024));
            ((micros(price) + micros(further) * (megapixels - 1)) * count + micros(input) * images) * ONE
        }
        Price::PerSecond { .. } => return None,
        Price::Credits { price, per_picture, by_size } => {
            let thousandths = (by_size.get(&size).unwrap_or(per_picture).number() * 1e3).round() as u128;
            micros(price) * thousandths * count * ONE / 1_000
        }
        Price::Tokens { text_in, image_in, out, expected_out, expected_image_in } => {
            let text = request.prompt.chars().count().div_ceil(4) as u128;
            let drawn = row(&expected_out.iter().map(|(size, tokens)| (*size, u128::from(*tokens))).collect())?;
            micros(text_in) * text
                + micros(image_in) * u128::from(*expected_image_in) * images
                + micros(out) * drawn * count
        }
    })
}

proptest! {
    #[test]
    fn an_estimate_is_the_exact_price_rounded_up(
        price in any_price(),
        request in any_request(),
        millionths in millionths(),
    ) {
        let estimate = priced(&price, &request, factor(millionths));
        let exact = exact(&price, &request);
        prop_assert_eq!(estimate.is_some(), exact.is_some());
        if let (Some(estimate), Some(exact)) = (estimate, exact) {
            let unit = 1_000_000_000_000;
            let (exact, expected) = (exact * u128::from(millionths), u128::from(estimate.expected.0) * unit);
            // Each rounded part may be one micro-dollar too much: for each picture, and for each of its megapixels.
            let megapixels = u128::from(request.size.expect("sized").pixels().div_ceil(1_000_000)) + 8;
            let slack = (u128::from(request.count) * megapixels + u128::from(request.inputs.images) + 4) * unit;
            prop_assert!(expected + unit > exact, "understated: {expected} {exact}");
            prop_assert!(expected <= exact + slack, "overstated: {expected} {exact}");
            prop_assert!(estimate.upper >= estimate.expected);
        }
    }

    #[test]
    fn more_pictures_never_cost_less(price in any_price(), request in any_request(), millionths in millionths()) {
        let more = Request { count: request.count + 1, ..request.clone() };
        let of = |request| priced(&price, request, factor(millionths));
        if let (Some(fewer), Some(more)) = (of(&request), of(&more)) {
            prop_assert!(more.expected >= fewer.expected && more.upper >= fewer.upper);
        }
    }

    #[test]
    fn a_higher_factor_never_costs_less(price in any_price(), request in any_request(), two in [millionths(), millionths()]) {
        let [a, b] = two;
        let of = |millionths| priced(&price, &request, factor(millionths)).map(|estimate| estimate.expected);
        prop_assert!(of(a.min(b)) <= of(a.max(b)));
    }

    #[test]
    fn a_larger_picture_never_costs_less_where_pixels_are_what_is_sold(
        request in any_request(),
        amounts in [amount(), amount(), amount()],
        step_hundredths in 0..=400u32,
        grow in 1..=64u32,
    ) {
        let [price, base, input] = amounts;
        let asked = request.size.expect("sized");
        let size = Size::new(asked.width() + grow, asked.height() + grow);
        let larger = Request { size, ..request.clone() };
        for price in [
            Price::PerMegapixel { price, step_hundredths, base },
            Price::FirstMegapixel { price, further: base, input },
        ] {
            prop_assert!(expected(&price, &larger) >= expected(&price, &request));
        }
    }

    #[test]
    fn parts_of_a_tariff_add_up(
        amounts in prop::array::uniform6(amount()),
        expected_tokens_out in 0..100_000u32,
        request in any_request(),
    ) {
        let [per_request, per_output, per_megapixel, per_input, text_in, tokens_out] = amounts;
        let none = Tariff { known: true, listed_size: true, expected_tokens_out, ..Tariff::default() };
        let alone = [
            Tariff { per_request, ..none },
            Tariff { per_output, ..none },
            Tariff { per_megapixel, ..none },
            Tariff { per_input, ..none },
            Tariff { text_in, ..none },
            Tariff { tokens_out, ..none },
        ];
        let of = |tariff: &Tariff| list_price(tariff, &request).expect("known").expected;
        let together =
            Tariff { per_request, per_output, per_megapixel, per_input, text_in, tokens_out, ..none };
        prop_assert_eq!(of(&together), alone.iter().map(of).sum());
    }

    #[test]
    fn absurd_amounts_saturate(micros in (u64::MAX - 1_000)..=u64::MAX, request in any_request()) {
        let price = Price::PerMegapixel { price: MicroUsd(micros), step_hundredths: 0, base: MicroUsd(micros) };
        let estimate = priced(&price, &request, factor(10_000_000)).expect("priced");
        prop_assert_eq!((estimate.expected, estimate.upper), (MicroUsd::MAX, MicroUsd::MAX));
    }
}
