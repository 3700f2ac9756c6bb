//! Chooses the image of a server: the newest, unless its servers never join; then the one before it.
//!
//! Successes and failures of each image are counted here and kept in the state.

use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, Template};
use crate::model::{CloudView, ImageRef, Offer, ProviderName, Reading};
use crate::plan::create::backoff;
use crate::plan::fleet::Fleet;
use crate::plan::rows::Rollback;
use crate::state::{BackoffKey, FailedImage, ImageMemory, State};
use crate::text::{moment, plural, shown};

/// So many servers of an image that never join make it bad; with a canary of one, one does.
const BAD_AFTER: u32 = 2;

/// So many images of which none ever joined are tried; then it is not the image.
const MOST_TRIED: usize = 3;

/// A bad image is tried again with one server so long after the last that failed.
const TRY_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// How many images are remembered of one name, and how many that joined.
const MOST_KEPT: usize = 16;

/// How many servers of an image must fail until it is bad.
pub fn bad_after(config: &Config) -> u32 {
    match config.limits.canary {
        0 => BAD_AFTER,
        canary => canary.min(BAD_AFTER),
    }
}

/// What the choice of an image is made from.
pub struct Chooser<'c> {
    memory: Option<&'c ImageMemory>,
    bad_after: u32,
    now: Timestamp,
}

impl<'c> Chooser<'c> {
    pub fn new(fleet: &'c Fleet<'_>, template: &Template, provider: &ProviderName) -> Self {
        let memory = memory(&fleet.state, template, provider);
        Self::from_memory(memory, fleet.config, fleet.context.now)
    }

    fn from_memory(memory: Option<&'c ImageMemory>, config: &Config, now: Timestamp) -> Self {
        Self {
            memory,
            bad_after: bad_after(config),
            now,
        }
    }

    fn failed(&self, image: &str) -> Option<&'c FailedImage> {
        let failed = self.memory?.failed.get(image)?;
        (failed.servers >= self.bad_after).then_some(failed)
    }

    fn has_joined(&self, image: &str) -> bool {
        self.memory
            .is_some_and(|memory| memory.joined.iter().any(|joined| joined == image))
    }

    /// Returns whether servers of an image are to be few until one has joined: it is new, and others are known.
    pub fn is_unproved(&self, image: &str) -> bool {
        let known = |memory: &ImageMemory| !memory.joined.is_empty() || !memory.failed.is_empty();
        self.memory.is_some_and(known) && !self.has_joined(image)
    }

    /// Chooses among images, newest first: the newest, unless it is bad and there is another. Of the older ones, one
    /// whose servers joined is preferred. A bad newest is tried again after a day, by one server at a time.
    pub fn choose<'i>(&self, images: &[&'i str], booting: impl Fn(&str) -> u32) -> Option<&'i str> {
        let (&newest, older) = images.split_first()?;
        let Some(failed) = self.failed(newest) else {
            return Some(newest);
        };
        let again = try_again(failed);
        if self.now >= again && booting(newest) == 0 {
            return Some(newest);
        }
        let tried = images.iter().filter(|image| self.failed(image).is_some()).count();
        let good = older.iter().find(|image| self.has_joined(image));
        let next = || {
            older
                .iter()
                .find(|image| self.failed(image).is_none())
                .filter(|_| tried < MOST_TRIED)
        };
        Some(good.or_else(next).copied().unwrap_or(newest))
    }
}

fn try_again(failed: &FailedImage) -> Timestamp {
    failed.last.saturating_add(TRY_AGAIN_AFTER).unwrap_or(Timestamp::MAX)
}

fn memory<'s>(state: &'s State, template: &Template, provider: &ProviderName) -> Option<&'s ImageMemory> {
    state.images.get(&template.name)?.get(provider)
}

/// Returns the images that a template can be made of at a cloud, newest first.
pub fn candidates<'o>(template: &Template, offer: &'o Offer) -> Vec<&'o str> {
    let older = if matches!(template.spec.image, ImageRef::Id(_)) {
        &[][..]
    } else {
        &offer.older_images
    };
    let all = std::iter::once(&offer.image).chain(older);
    all.map(String::as_str).collect()
}

/// Begins the memory of a pass: what is no longer configured is forgotten, and failures of a template that was changed.
pub fn refresh(state: &mut State, config: &Config) {
    state.images.retain(|name, places| {
        let Some(template) = config.templates.iter().find(|template| template.name == *name) else {
            return false;
        };
        places.retain(|provider, memory| {
            if memory.config != template.digest {
                memory.failed.clear();
                memory.instead = None;
                memory.config.clone_from(&template.digest);
            }
            config.providers.contains_key(provider)
        });
        !places.is_empty()
    });
}

fn entry<'s>(state: &'s mut State, template: &Template, provider: &ProviderName) -> &'s mut ImageMemory {
    let places = state.images.entry(template.name.clone()).or_default();
    places.entry(provider.clone()).or_insert_with(|| ImageMemory {
        config: template.digest.clone(),
        ..ImageMemory::default()
    })
}

/// Remembers that a server of an image joined.
pub fn joined(state: &mut State, template: &Template, provider: &ProviderName, image: &str) {
    if memory(state, template, provider).is_some_and(|memory| memory.joined.last().is_some_and(|last| last == image)) {
        return;
    }
    let memory = entry(state, template, provider);
    memory.failed.remove(image);
    memory.joined.retain(|known| known != image);
    memory.joined.push(image.to_owned());
    memory.joined.drain(..memory.joined.len().saturating_sub(MOST_KEPT));
}

/// Remembers that a server of an image failed, unless another one of it joined.
pub fn failed(state: &mut State, template: &Template, provider: &ProviderName, image: &str, now: Timestamp) {
    let memory = entry(state, template, provider);
    if memory.joined.iter().any(|known| known == image) {
        return;
    }
    let failed = memory
        .failed
        .entry(image.to_owned())
        .or_insert(FailedImage { servers: 0, last: now });
    failed.servers = failed.servers.saturating_add(1);
    failed.last = now;
}

/// Returns whether servers are made of another image than this one because it is bad: then nothing else is to blame.
pub fn is_left(state: &State, config: &Config, template: &Template, provider: &ProviderName, image: &str) -> bool {
    memory(state, template, provider).is_some_and(|memory| {
        let chooser = Chooser::from_memory(Some(memory), config, Timestamp::MIN);
        let bad = chooser.failed(image).is_some();
        bad && chooser
            .choose(&refs(memory), |_| 1)
            .is_some_and(|chosen| chosen != image)
    })
}

/// Returns the image of which the next server of a template is made, as far as the clouds said when they were last asked.
pub fn current<'s>(
    state: &'s State,
    config: &Config,
    template: &Template,
    provider: &ProviderName,
    now: Timestamp,
) -> Option<&'s str> {
    let memory = memory(state, template, provider)?;
    // A bad one that is tried again with one server is not what others are replaced by.
    Chooser::from_memory(Some(memory), config, now).choose(&refs(memory), |_| 1)
}

fn refs(memory: &ImageMemory) -> Vec<&str> {
    memory.candidates.iter().map(String::as_str).collect()
}

/// Writes down which images the clouds have, where they were asked.
pub fn remember_candidates(fleet: &mut Fleet<'_>) {
    for (provider, reading) in &fleet.observed.clouds {
        let Reading::Read(CloudView {
            offers: Some(Reading::Read(offers)),
            ..
        }) = reading
        else {
            continue;
        };
        for template in &fleet.config.templates {
            let Some(Ok(offer)) = offers.templates.get(&template.name) else {
                continue;
            };
            let images = candidates(template, offer);
            let all = template.refresh.outdated && !offer.image.is_empty();
            if images.len() < 2 && !all && memory(&fleet.state, template, provider).is_none() {
                continue;
            }
            let memory = entry(&mut fleet.state, template, provider);
            memory.failed.retain(|image, _| images.contains(&image.as_str()));
            memory.candidates = if images.len() < 2 && !all {
                Vec::new()
            } else {
                images.iter().take(MOST_KEPT).map(|image| (*image).to_owned()).collect()
            };
        }
    }
}

/// Rolls back and forth: says so once, and lets the first servers of the other image go at once.
pub fn decide(fleet: &mut Fleet<'_>) {
    let (config, now) = (fleet.config, fleet.context.now);
    for template in &config.templates {
        let Some(places) = fleet.state.images.get_mut(&template.name) else {
            continue;
        };
        let mut opened = Vec::new();
        for (provider, memory) in places {
            let instead = {
                let chooser = Chooser::from_memory(Some(memory), config, now);
                let images = refs(memory);
                let chosen = chooser.choose(&images, |_| 1);
                chosen
                    .filter(|chosen| images.first() != Some(chosen))
                    .map(str::to_owned)
            };
            let Some(rollback) = instead.as_ref().and_then(|instead| rollback(provider, memory, instead)) else {
                memory.instead = None;
                continue;
            };
            let text = sentence(template, &rollback);
            fleet.notes.push(text);
            if memory.instead == instead {
                continue;
            }
            fleet.partly = true;
            // Where nothing ever joined, the second image that fails is held back as any template is.
            if memory.instead.is_none() || memory.joined.contains(&rollback.instead) {
                opened.push(provider.clone());
            }
            memory.instead = instead;
        }
        for provider in opened {
            backoff::clear(&mut fleet.state, &BackoffKey::Template(template.name.clone()));
            for place in template.placements.iter().filter(|place| place.provider == provider) {
                let (name, zone) = (template.name.clone(), place.zone.clone());
                let key = BackoffKey::TemplateAt(name, provider.clone(), zone);
                backoff::clear(&mut fleet.state, &key);
            }
        }
    }
}

fn rollback(provider: &ProviderName, memory: &ImageMemory, instead: &str) -> Option<Rollback> {
    let image = memory.candidates.first()?;
    let failed = memory.failed.get(image)?;
    Some(Rollback {
        provider: provider.clone(),
        image: image.clone(),
        servers: failed.servers,
        instead: instead.to_owned(),
        try_again: try_again(failed),
    })
}

fn sentence(template: &Template, rollback: &Rollback) -> String {
    let servers = plural(rollback.servers, "server");
    format!(
        "image {} of template \"{}\" at {} never joined in {servers}, rolled back to {}; a newer image is tried at \
         once, this one again after {}",
        shown(&rollback.image),
        template.name,
        rollback.provider,
        shown(&rollback.instead),
        moment(rollback.try_again)
    )
}

/// Lists what is rolled back of a template.
pub fn rollbacks(state: &State, template: &Template) -> Vec<Rollback> {
    let places = state.images.get(&template.name).into_iter().flatten();
    places
        .filter_map(|(provider, memory)| rollback(provider, memory, memory.instead.as_deref()?))
        .collect()
}
