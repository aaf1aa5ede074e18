interface PageAnswer {
  next_page_token?: string | undefined;
}

/** Every item of a list, page after page; each page is asked for when the one before is used up. */
export async function* items<Query extends object, Page extends PageAnswer, Item>(
  list: (query: Query & { page_token?: string }) => Promise<Page>,
  itemsOf: (page: Page) => Item[],
  query: Query,
): AsyncGenerator<Item, void, undefined> {
  let page_token: string | undefined;
  do {
    const page = await list({ ...query, ...(page_token !== undefined && { page_token }) });
    yield* itemsOf(page);
    page_token = page.next_page_token;
  } while (page_token !== undefined);
}
