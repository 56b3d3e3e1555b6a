/**
 * What Apify's platform tells the runs of Actors.
 *
 * @since 0.1.0
 */

/**
 * What the platform tells an Actor. `migrating`: the run is about to be moved to another server, within seconds. `aborting`:
 * it is about to be stopped. `persistState`: it should save what it would need to go on, about once a minute. `systemInfo` and
 * `cpuInfo`: what it uses. Others may come.
 *
 * @since 0.1.0
 * @category models
 */
export interface ActorEvent {
  readonly name: string
  /** The event's data, or `undefined` if it has none. */
  readonly data: unknown
}
