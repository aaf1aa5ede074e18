import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Starts the journeys first, so that no long one is left at the end for one worker alone; files of a project stay together. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project }: TestSpecification) => (project.name === 'journeys' ? 0 : 1);
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
