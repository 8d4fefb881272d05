use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Room for three small pictures.
const ROOM: u64 = 3 * LEAST_BYTES;
const HOUR_MS: u64 = 3_600_000;

fn media(dir: &Path) -> Media {
    Media::open(dir, ROOM, Duration::from_hours(1)).unwrap()
}

fn files(dir: &Path) -> usize {
    fs::read_dir(dir.join(DIRECTORY)).unwrap().count()
}

#[tokio::test]
async fn a_kept_picture_can_be_read_with_its_type() {
    let dir = tempfile::tempdir().unwrap();
    let media = media(dir.path());
    let name = media.keep(PNG.to_vec(), "png", 0).await.unwrap();
    assert_eq!(media.read(name).await.unwrap(), Some((PNG.to_vec(), "image/png")));
    let other = "00000000000000000000000000000000.png".parse().unwrap();
    assert_eq!(media.read(other).await.unwrap(), None);
}

#[tokio::test]
async fn pictures_expire_after_an_hour() {
    let dir = tempfile::tempdir().unwrap();
    let media = media(dir.path());
    let early = media.keep(PNG.to_vec(), "png", 1_000).await.unwrap();
    let late = media.keep(PNG.to_vec(), "webp", 2_000).await.unwrap();
    assert_eq!(media.sweep(1_000 + HOUR_MS).await.unwrap(), 0);
    assert_eq!(media.sweep(1_001 + HOUR_MS).await.unwrap(), 1);
    assert_eq!(media.read(early).await.unwrap(), None);
    assert!(media.read(late).await.unwrap().is_some());
}

#[tokio::test]
async fn the_oldest_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let media = media(dir.path());
    let mut names = Vec::new();
    for now_ms in 0..5 {
        names.push(media.keep(PNG.to_vec(), "jpg", now_ms).await.unwrap());
    }
    assert_eq!(media.read(names[1]).await.unwrap(), None);
    assert!(media.read(names[2]).await.unwrap().is_some());
    assert_eq!(files(dir.path()), 3);
    let large = media.keep(vec![0; ROOM as usize], "png", 9).await.unwrap();
    assert!(media.read(large).await.unwrap().is_some());
    assert_eq!(files(dir.path()), 1);
}

#[tokio::test]
async fn what_never_fits_or_is_no_picture_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let media = media(dir.path());
    let large = media.keep(vec![0; ROOM as usize + 1], "png", 0).await;
    assert!(matches!(large, Err(MediaError::TooLarge { bytes: 12_289, most: ROOM })), "{large:?}");
    for extension in ["svg", "html", "", "../png", "png/.."] {
        assert!(matches!(media.keep(PNG.to_vec(), extension, 0).await, Err(MediaError::Extension(_))), "{extension}");
    }
    assert_eq!(files(dir.path()), 0);
}

#[tokio::test]
async fn a_restart_takes_over_what_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let before = media(dir.path());
    let name = before.keep(PNG.to_vec(), "gif", 0).await.unwrap();
    fs::write(dir.path().join(DIRECTORY).join("0123456789abcdef0123456789abcdef.part"), "half").unwrap();
    let after = media(dir.path());
    assert_eq!(files(dir.path()), 1);
    assert!(after.read(name).await.unwrap().is_some());
    assert_eq!(after.sweep(u64::MAX).await.unwrap(), 1);
    assert_eq!(files(dir.path()), 0);
}

#[tokio::test]
async fn a_picture_that_cannot_be_written_takes_no_room() {
    let dir = tempfile::tempdir().unwrap();
    let media = media(dir.path());
    fs::remove_dir(dir.path().join(DIRECTORY)).unwrap();
    assert!(matches!(media.keep(PNG.to_vec(), "png", 0).await, Err(MediaError::Write(_))));
    assert_eq!(media.shared.lock().bytes, 0);
    fs::create_dir(dir.path().join(DIRECTORY)).unwrap();
    assert!(media.keep(PNG.to_vec(), "png", 0).await.is_ok());
}
