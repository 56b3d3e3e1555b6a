/**
 * The store of the endpoint's page, which every client gets.
 */

/** The store of the endpoint's page. */
export const STORE_ID = "WkzbQMuFYuamGv3YF"

/** What every client sends. The emulator's demo knows it too. */
export const TOKEN = "apify_api_demo"

/** The body of a response, as Apify writes it. */
export const BODY = JSON.stringify(
  {
    data: {
      id: STORE_ID,
      name: "d7b9MDYsbtX5L7XAj",
      userId: "BPWDBd7Z9c746JAnF",
      username: "janedoe",
      createdAt: "2019-12-12T07:34:14.202Z",
      modifiedAt: "2019-12-13T08:36:13.202Z",
      accessedAt: "2019-12-14T08:36:13.202Z",
      actId: null,
      actRunId: null,
      consoleUrl: "https://console.apify.com/storage/key-value-stores/27TmTznX9YPeAYhkC",
      keysPublicUrl: "https://api.apify.com/v2/key-value-stores/WkzbQMuFYuamGv3YF/keys?signature=abc123",
      urlSigningSecretKey: "string",
      generalAccess: "RESTRICTED",
      stats: { readCount: 9, writeCount: 3, deleteCount: 6, listCount: 2, s3StorageBytes: 18 }
    }
  },
  null,
  2
)
