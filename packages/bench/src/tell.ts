/**
 * How a child tells what it has measured: to the process that started it or, when it is run by hand, on the terminal.
 */

/** Tells a value; done when it is on its way. */
export const tell = (value: unknown): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) {
      console.log(value)
      resolve()
    } else {
      process.send(value, () => resolve())
    }
  })

// Whoever started it is gone.
process.on("disconnect", () => process.exit())
