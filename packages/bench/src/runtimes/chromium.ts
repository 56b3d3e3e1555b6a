/**
 * Debian's Chromium, driven by `playwright-core`, and the pages that it opens: for the table of runtimes, and for the test of the example
 * for browsers.
 */
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import { basename, join } from "node:path"
import { type Browser, chromium, type Page } from "playwright-core"

export const CHROMIUM = "/usr/bin/chromium"

/** Whether this machine has one. */
export const hasChromium = existsSync(CHROMIUM)

/** Only what hangs takes so long. */
const PATIENCE_MILLIS = 120_000

/** Starts it, without a window, and with a profile that is gone once it is closed. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    // As root, which containers run as, it starts only without.
    chromiumSandbox: false,
    timeout: PATIENCE_MILLIS
  })

/** Serves the files of a folder to browsers. `listen` of `server.ts` starts it. */
export const servePages = (folder: string): Server =>
  createServer((request, response) => {
    const name = basename(new URL(request.url ?? "/", "http://localhost").pathname)
    readFile(join(folder, name)).then(
      (bytes) =>
        response.writeHead(200, { "content-type": name.endsWith(".js") ? "text/javascript" : "text/html" }).end(bytes),
      () => response.writeHead(404).end()
    )
  })

/** What the example for browsers shows at a URL. */
export const shownBy = async (page: Page, url: string): Promise<string> => {
  await page.goto(url, { timeout: PATIENCE_MILLIS })
  const shown = `document.querySelector("output").textContent`
  await page.waitForFunction(`${shown} !== "…"`, undefined, { timeout: PATIENCE_MILLIS })
  return page.evaluate<string>(shown)
}
