use std::{
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, Waker},
};

use super::*;

const LONG: Duration = Duration::from_secs(3600);

fn places(places: usize, queue: usize) -> Arc<Places> {
    Arc::new(Places::new(Limits { places, queue }))
}

fn waiting(places: &Places) -> usize {
    places.status().waiting
}

/// Takes a place that must be free.
async fn free(places: &Arc<Places>) -> Place {
    places.take(Priority::Normal, Duration::ZERO).await.expect("a free place")
}

#[tokio::test]
async fn there_are_as_many_places_as_the_latest_configuration_says() {
    let places = places(1, 0);
    let first = free(&places).await;
    let refused = places.take(Priority::Urgent, LONG).await.expect_err("no place");
    assert_eq!((refused.why, refused.come_back), (Why::Full, Duration::from_secs(1)));
    places.limit(Limits { places: 2, queue: 0 });
    let second = free(&places).await;
    places.limit(Limits { places: 1, queue: 0 });
    drop(first);
    assert!(places.take(Priority::Normal, LONG).await.is_err(), "as many as now may be are still taken");
    drop(second);
    free(&places).await;
}

#[tokio::test]
async fn places_go_to_the_most_urgent_first() {
    let places = places(1, 9);
    let held = free(&places).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for (count, (name, priority)) in
        [("low", Priority::Low), ("normal", Priority::Normal), ("urgent", Priority::Urgent), ("high", Priority::High)]
            .into_iter()
            .enumerate()
    {
        let (places_, order) = (Arc::clone(&places), Arc::clone(&order));
        tasks.push(tokio::spawn(async move {
            let place = places_.take(priority, LONG).await.expect("its turn comes");
            order.lock().unwrap().push(name);
            drop(place);
        }));
        while waiting(&places) <= count {
            tokio::task::yield_now().await;
        }
    }
    drop(held);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["urgent", "high", "normal", "low"]);
}

#[tokio::test]
async fn a_full_line_sheds_for_those_who_matter_more() {
    let places = places(1, 1);
    let held = free(&places).await;
    let mut low = pin!(places.take(Priority::Low, LONG));
    let mut context = Context::from_waker(Waker::noop());
    assert!(low.as_mut().poll(&mut context).is_pending());
    let mut high = pin!(places.take(Priority::High, LONG));
    assert!(high.as_mut().poll(&mut context).is_pending());
    assert_eq!(low.await.expect_err("shed").why, Why::Shed);
    assert_eq!(places.take(Priority::High, LONG).await.expect_err("full").why, Why::Full);
    drop(held);
    assert!(high.await.is_ok());
    let expected = SentAway { shed: 1, refused: 1, timed_out: 0 };
    assert_eq!(places.status(), Status { waiting: 0, sent_away: expected });
}

#[tokio::test]
async fn a_wait_ends_after_its_patience() {
    let places = places(1, 9);
    let _held = free(&places).await;
    let began = Instant::now();
    let late = places.take(Priority::Urgent, Duration::from_millis(20)).await.expect_err("nobody leaves");
    assert_eq!((late.why, late.come_back), (Why::TimedOut, Duration::from_secs(1)));
    assert!(began.elapsed() >= Duration::from_millis(20));
    assert_eq!(waiting(&places), 0);
}

#[tokio::test]
async fn who_leaves_while_waiting_leaves_nothing_behind() {
    let places = places(1, 9);
    let held = free(&places).await;
    let mut context = Context::from_waker(Waker::noop());
    {
        let mut leaving = Box::pin(places.take(Priority::Urgent, LONG));
        assert!(leaving.as_mut().poll(&mut context).is_pending());
        assert_eq!(waiting(&places), 1);
    }
    assert_eq!(waiting(&places), 0);
    // Called, and then gone before it looked: the next one gets the place.
    let mut called = Box::pin(places.take(Priority::Urgent, LONG));
    let mut next = pin!(places.take(Priority::Normal, LONG));
    assert!(called.as_mut().poll(&mut context).is_pending());
    assert!(next.as_mut().poll(&mut context).is_pending());
    drop(held);
    drop(called);
    let Poll::Ready(Ok(place)) = next.as_mut().poll(&mut context) else { panic!("the place is lost") };
    drop(place);
    free(&places).await;
}

#[tokio::test]
async fn more_places_are_handed_out_at_once() {
    let places = places(1, 9);
    let _held = free(&places).await;
    let mut context = Context::from_waker(Waker::noop());
    let mut waits: Vec<_> = (0..3).map(|_| Box::pin(places.take(Priority::Normal, LONG))).collect();
    for wait in &mut waits {
        assert!(wait.as_mut().poll(&mut context).is_pending());
    }
    places.limit(Limits { places: 3, queue: 0 });
    let served = waits.iter_mut().filter_map(|wait| match wait.as_mut().poll(&mut context) {
        Poll::Ready(place) => Some(place.expect("a place")),
        Poll::Pending => None,
    });
    assert_eq!(served.collect::<Vec<_>>().len(), 2);
}

/// Tasks that take, hold, leave and lose patience in every way, on several threads: never more places than there are, none
/// lost, and nobody waits beside a free one (else this would not end).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_place_is_lost_and_no_call_is_missed() {
    const PLACES: usize = 3;
    let places = places(PLACES, 40);
    let (taken, served) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let priorities = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
    let tasks = (0..64usize).map(|task| {
        let (places, taken, served) = (Arc::clone(&places), Arc::clone(&taken), Arc::clone(&served));
        tokio::spawn(async move {
            for round in 0..300usize {
                let dice = task.wrapping_mul(2_654_435_761).wrapping_add(round.wrapping_mul(40_503)) >> 7;
                let priority = priorities[dice % 4];
                let patience = if dice.is_multiple_of(5) { Duration::from_micros((dice % 97) as u64) } else { LONG };
                let mut take = Box::pin(places.take(priority, patience));
                if dice.is_multiple_of(7) {
                    // Looks once and leaves.
                    let once = std::future::poll_fn(|context| Poll::Ready(take.as_mut().poll(context).is_ready()));
                    once.await;
                    continue;
                }
                let Ok(place) = take.await else { continue };
                assert!(taken.fetch_add(1, Ordering::SeqCst) < PLACES, "more places than there are");
                served.fetch_add(1, Ordering::Relaxed);
                for _ in 0..dice % 3 {
                    tokio::task::yield_now().await;
                }
                taken.fetch_sub(1, Ordering::SeqCst);
                drop(place);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert!(served.load(Ordering::Relaxed) > 1000);
    let hall = places.hall();
    assert_eq!((hall.taken, hall.line.len()), (0, 0));
}
