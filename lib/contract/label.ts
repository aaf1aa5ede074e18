import * as z from 'zod';

/** Labels the mailroom sets and nobody else: they say what happened. */
export const systemLabels = [
  'received',
  'sent',
  'bounced',
  'complained',
  'delayed',
  'delivered',
  'rejected',
  'opened',
  'scheduled',
] as const;

/** Labels that hide a message from lists unless asked for (`include_…`) and permitted (`label_…_read`). */
export const hiddenLabels = ['spam', 'blocked', 'unauthenticated', 'trash'] as const;
export type HiddenLabel = (typeof hiddenLabels)[number];

/**
 * Labels of one's own on one message, and on one thread as the union of its messages. Each is a row, and a
 * change of labels is one transaction of at most 100 rows.
 */
export const maxLabels = 15;

export const label = z
  .string()
  .trim()
  .toLowerCase()
  .min(1)
  .max(256)
  // Labels are counted by name in objects, where this one name is not a name.
  .refine((one) => one !== '__proto__', 'choose another label');
const labels = z.preprocess(
  (value) => (typeof value === 'string' ? [value] : value),
  z.array(label).max(maxLabels, `give at most ${maxLabels} labels`),
);

export const updateLabels = z
  .object({ add_labels: labels.nullish(), remove_labels: labels.nullish() })
  .transform(({ add_labels, remove_labels }) => {
    const remove = [...new Set(remove_labels ?? [])];
    // A label on both lists ends up removed.
    return { add: [...new Set(add_labels ?? [])].filter((one) => !remove.includes(one)), remove };
  })
  .refine(({ add, remove }) => add.length + remove.length > 0, 'give add_labels or remove_labels')
  .superRefine(({ add, remove }, context) => {
    const system = [...add, ...remove].find((one) => (systemLabels as readonly string[]).includes(one));
    if (system !== undefined)
      context.addIssue({ code: 'custom', message: `Cannot use system label: ${system}` });
  });
export type UpdateLabels = z.infer<typeof updateLabels>;
