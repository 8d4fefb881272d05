use std::collections::BTreeMap;

use domain::{
    credits::Credits,
    money::{MicroUsd as HostMicroUsd, PriceFactor},
    price::{Price, Tariff as HostTariff, list_price},
    request::{Inputs, Request as HostRequest},
    size::Size,
};
use proptest::prelude::*;

use super::*;

fn priced(tariff: Tariff, request: Request) -> Option<Estimate> {
    price(request, vec![Offer::new("p/m", tariff)], Vec::new())[0]
}

fn price(request: Request, offers: Vec<Offer>, columns: Vec<Column>) -> Vec<Option<Estimate>> {
    ListPrice::price(request, Vec::new(), offers, columns).expect("an answer")
}

fn exactly(amount: u32) -> Option<Estimate> {
    Some(Estimate { expected: amount, upper: amount })
}

fn of_size(width: u32, height: u32) -> Request {
    Request { width, height, ..Request::for_prompt("a red bicycle") }
}

#[test]
fn a_flat_price_counts_outputs() {
    let tariff = Tariff { per_output: 40_000, ..Tariff::free() };
    assert_eq!(priced(tariff, Request { count: 3, ..of_size(1024, 1024) }), exactly(120_000));
}

#[test]
fn megapixels_are_rounded_up_to_their_step() {
    let tariff = Tariff { per_megapixel: 25_000, megapixel_step: 1.0, ..Tariff::free() };
    assert_eq!(priced(tariff, of_size(1024, 1024)), exactly(50_000));
    assert_eq!(priced(tariff, of_size(1000, 1000)), exactly(25_000));
    assert_eq!(priced(tariff, of_size(0, 0)), exactly(50_000));
}

#[test]
fn tokens_have_a_margin_and_prompt_characters_are_tokens_by_four() {
    let tariff = Tariff { text_in: 5_000_000, tokens_out: 30_000_000, expected_tokens_out: 1_757, ..Tariff::free() };
    // 13 characters are 4 text tokens: 20 micro-dollars.
    assert_eq!(priced(tariff, of_size(1024, 1024)), Some(Estimate { expected: 52_730, upper: 58_003 }));
}

#[test]
fn seconds_of_a_clip_are_charged() {
    let tariff = Tariff { per_second: 100_000, ..Tariff::free() };
    assert_eq!(priced(tariff, Request { duration_ms: 2_500, count: 2, ..of_size(1, 1) }), exactly(500_000));
}

#[test]
fn seconds_that_are_not_asked_for_are_unknown_and_not_free() {
    assert_eq!(priced(Tariff { per_second: 1, ..Tariff::free() }, of_size(1024, 1024)), None);
    assert_eq!(priced(Tariff { per_second: 1, per_output: 40_000, ..Tariff::free() }, of_size(1024, 1024)), None);
}

#[test]
fn an_unlisted_size_has_a_wider_upper_price() {
    let offers = || vec![Offer::new("p/m", Tariff { per_output: 10_000, ..Tariff::free() })];
    let listed = |value| vec![Column::new("listed-size", vec![value])];
    let wider = Some(Estimate { expected: 10_000, upper: 15_000 });
    assert_eq!(price(of_size(1, 1), offers(), listed(Some(0.0))), [wider]);
    assert_eq!(price(of_size(1, 1), offers(), listed(Some(1.0))), [exactly(10_000)]);
    assert_eq!(price(of_size(1, 1), offers(), listed(None)), [exactly(10_000)]);
    assert_eq!(price(of_size(1, 1), offers(), Vec::new()), [exactly(10_000)]);
}

#[test]
fn unknown_is_not_free() {
    assert_eq!(priced(Tariff::unknown(), of_size(1024, 1024)), None);
    assert_eq!(priced(Tariff::free(), of_size(1024, 1024)), exactly(0));
}

#[test]
fn an_unknown_fact_or_column_changes_nothing() {
    let offers = || vec![Offer::new("p/m", Tariff { per_output: 10_000, ..Tariff::free() }); 2];
    let odd = of_size(1, 1).with_fact("phase-of-the-moon-share", 0.5);
    let columns = vec![Column::new("acme.mood", vec![Some(0.0), None])];
    assert_eq!(price(odd, offers(), columns), price(of_size(1, 1), offers(), Vec::new()));
}

#[test]
fn hostile_steps_do_no_harm() {
    for step in [f32::NAN, f32::INFINITY, -1.0, f32::MAX] {
        let tariff = Tariff { per_megapixel: u32::MAX, megapixel_step: step, ..Tariff::free() };
        assert!(priced(tariff, of_size(u32::MAX, u32::MAX)).is_some());
    }
}

prop_compose! {
    fn amount()(bits in 0..=32u32, value in any::<u32>()) -> u32 {
        // Small and large amounts alike.
        (u64::from(value) >> bits) as u32
    }
}

prop_compose! {
    fn tariff()(
        known: bool,
        per in [amount(), amount(), amount(), amount()],
        per_second in prop_oneof![3 => Just(0), 1 => amount()],
        tokens in [amount(), amount(), amount(), amount(), amount()],
        step in 0..=1_000u32,
    ) -> (Tariff, u32) {
        let [per_request, per_output, per_megapixel, per_input] = per;
        let [text_in, image_in, tokens_out, expected_tokens_out, expected_image_in] = tokens;
        let tariff = Tariff {
            known,
            per_request,
            per_output,
            per_megapixel,
            megapixel_step: step as f32 / 100.0,
            per_second,
            per_input,
            text_in,
            image_in,
            tokens_out,
            expected_tokens_out,
            expected_image_in,
        };
        (tariff, step)
    }
}

proptest! {
    #[test]
    fn is_the_price_that_the_host_falls_back_to(
        (tariff, step) in tariff(),
        listed_size: bool,
        count in 1..=10u32,
        images in 0..=16u32,
        chars in 0..200usize,
        sides in (1..=Size::MAX_SIDE, 1..=Size::MAX_SIDE),
    ) {
        let host_tariff = HostTariff {
            known: tariff.known,
            per_request: HostMicroUsd(tariff.per_request.into()),
            per_output: HostMicroUsd(tariff.per_output.into()),
            per_megapixel: HostMicroUsd(tariff.per_megapixel.into()),
            megapixel_step_hundredths: step,
            per_second: HostMicroUsd(tariff.per_second.into()),
            per_input: HostMicroUsd(tariff.per_input.into()),
            text_in: HostMicroUsd(tariff.text_in.into()),
            image_in: HostMicroUsd(tariff.image_in.into()),
            tokens_out: HostMicroUsd(tariff.tokens_out.into()),
            expected_tokens_out: tariff.expected_tokens_out,
            expected_image_in: tariff.expected_image_in,
            listed_size,
        };
        let prompt = "ä".repeat(chars);
        let host_request = HostRequest {
            count,
            size: Size::new(sides.0, sides.1),
            inputs: Inputs { images, ..Inputs::default() },
            ..HostRequest::for_prompt(&prompt)
        };
        let by_host = list_price(&host_tariff, &host_request)
            .map(|host| Estimate { expected: host.expected.saturating_u32(), upper: host.upper.saturating_u32() });

        let request = Request {
            count,
            input_images: images,
            width: sides.0,
            height: sides.1,
            ..Request::for_prompt(&prompt)
        };
        prop_assert_eq!(estimate(&tariff, &request, listed_size), by_host);
    }
    /// What the host offers is what it would price itself, whatever the form in which the vendor publishes.
    #[test]
    fn is_the_hosts_price_for_every_form(
        price in any_price(),
        factor in prop_oneof![Just(1.0), 0.0..10.0f64],
        count in 1..=10u32,
        images in 0..=16u32,
        sides in (1..=4096u32, 1..=4096u32),
    ) {
        let host_request = HostRequest {
            count,
            size: Size::new(sides.0, sides.1),
            inputs: Inputs { images, ..Inputs::default() },
            ..HostRequest::for_prompt("a red bicycle")
        };
        let host_tariff = price.tariff(host_request.size, PriceFactor::new(factor).expect("in range"));
        let by_host = list_price(&host_tariff, &host_request)
            .map(|host| Estimate { expected: host.expected.saturating_u32(), upper: host.upper.saturating_u32() });
        let request = Request { count, input_images: images, ..of_size(sides.0, sides.1) };
        prop_assert_eq!(estimate(&offered(&host_tariff), &request, host_tariff.listed_size), by_host);
    }
}

/// As the host lowers it into the contract.
fn offered(tariff: &HostTariff) -> Tariff {
    Tariff {
        known: tariff.known,
        per_request: tariff.per_request.saturating_u32(),
        per_output: tariff.per_output.saturating_u32(),
        per_megapixel: tariff.per_megapixel.saturating_u32(),
        megapixel_step: tariff.megapixel_step_hundredths as f32 / 100.0,
        per_second: tariff.per_second.saturating_u32(),
        per_input: tariff.per_input.saturating_u32(),
        text_in: tariff.text_in.saturating_u32(),
        image_in: tariff.image_in.saturating_u32(),
        tokens_out: tariff.tokens_out.saturating_u32(),
        expected_tokens_out: tariff.expected_tokens_out,
        expected_image_in: tariff.expected_image_in,
    }
}

/// Every form, at amounts that the contract holds after any factor of the test.
fn any_price() -> impl Strategy<Value = Price> {
    let amount = || (0..=26u32, 0..100_000_000u64).prop_map(|(bits, value)| HostMicroUsd(value >> bits));
    let size = || (1..=4096u32, 1..=4096u32).prop_map(|(width, height)| Size::new(width, height).expect("in range"));
    let credits =
        || (0..10_000u32).prop_map(|hundredths| Credits::new(f64::from(hundredths) / 100.0).expect("in range"));
    let amounts = move || prop::collection::btree_map(size(), amount(), 0..4);
    prop_oneof![
        amount().prop_map(Price::PerImage),
        amounts().prop_map(Price::BySize),
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
        (amount(), amounts()).prop_map(|(price, by_size)| Price::PerSecond { price, by_size }),
        (amount(), credits(), prop::collection::btree_map(size(), credits(), 0..4))
            .prop_map(|(price, per_picture, by_size)| Price::Credits { price, per_picture, by_size }),
        ([amount(), amount(), amount()], prop::collection::btree_map(size(), 0..100_000u32, 0..4), 0..10_000u32)
            .prop_map(|([text_in, image_in, out], expected_out, expected_image_in): (_, BTreeMap<Size, u32>, _)| {
                Price::Tokens { text_in, image_in, out, expected_out, expected_image_in }
            }),
    ]
}
