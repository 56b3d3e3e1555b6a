/**
 * How a child reports what it has measured: to the process that started it or, when it is run by hand, on the terminal.
 */

/** Reports a value; done when it has been sent. */
export const report = (value: unknown): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) {
      console.log(value)
      resolve()
    } else {
      process.send(value, () => resolve())
    }
  })

// The parent is gone.
process.on("disconnect", () => process.exit())
